"""The three groups and their rights.

The permissions are made here when they are not there yet: on a fresh database Django makes them
only after the last migration. A permission is known by its model and code name, so that Django
finds these later and makes none twice.
"""

from django.db import migrations

VIEW = {
    "persons": ["school", "person", "schoolperson"],
    "credits": ["personcredit", "schoolcredit", "product", "creditreturn"],
    "outbox": ["message", "attempt"],
    "jobs": ["job", "jobrow"],
    "notifications": ["notification", "refusal"],
    "explanations": ["publishercode", "unknowncode"],
}

# Everything that a colleague who looks after schools does in a day.
WORK = {
    "persons": [
        "add_school", "change_school",  # adding one is fetching it from Edu-iX
        "add_person", "change_person", "push_person",
        "add_schoolperson", "change_schoolperson", "push_schoolperson",
    ],
    "credits": [
        "add_personcredit", "change_personcredit", "push_personcredit",
        "add_schoolcredit", "change_schoolcredit", "push_schoolcredit",
        "add_product", "change_product",
    ],
    "outbox": ["change_message"],  # nobody edits a message: this is "send again now"
    "jobs": ["add_job", "change_job"],
    "explanations": ["add_publishercode", "change_publishercode"],
}

# What only the functional administrator does.
MANAGE = {
    "persons": ["delete_school", "delete_person", "delete_schoolperson"],
    "credits": ["delete_personcredit", "delete_schoolcredit", "delete_product"],
    "jobs": ["delete_job"],
    "notifications": ["replay_notification"],
    "explanations": ["delete_publishercode"],
    "auth": [
        "view_user", "add_user", "change_user", "delete_user",
        "view_group", "add_group", "change_group", "delete_group",
    ],
}

READERS = {app: [f"view_{model}" for model in models] for app, models in VIEW.items()}

GROUPS = {
    "Meelezer": [READERS],
    "Accountmanager": [READERS, WORK],
    "Beheerder": [READERS, WORK, MANAGE],
}


def create_groups(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    for name, rights in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.add(
            *(
                permission(apps, app, codename)
                for right in rights
                for app, codenames in right.items()
                for codename in codenames
            )
        )


def permission(apps, app, codename):
    """The permission of this name, with the text that Django itself would give it."""
    action, _underscore, model = codename.partition("_")
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app, model=model
    )
    found, _created = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": text(action, model)}
    )
    return found


# The models whose name differs from what people call them, as `verbose_name` says it.
CALLED = {
    "schoolperson": "person at a school",
    "personcredit": "person credit",
    "schoolcredit": "school credit",
    "creditreturn": "return",
    "jobrow": "job row",
    "publishercode": "publisher's code",
    "unknowncode": "unknown code",
    "refusal": "refused delivery",
}


def text(action, model):
    called = CALLED.get(model, model)
    if action == "push":
        return f"Can push {called} to Edu-iX"
    if action == "replay":
        return f"Can apply a {called} again"
    return f"Can {action} {called}"


def remove_groups(apps, schema_editor):
    """The permissions stay: they belong to their models."""
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(create_groups, remove_groups)]
