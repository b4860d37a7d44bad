"""Who may read and write the organisation's own texts.

The permissions are made here when they are not there yet, as the first migration does.
"""

from django.db import migrations

VIEW = ("view_owntext",)
WRITE = ("add_owntext", "change_owntext", "delete_owntext")
RIGHTS = {"Meelezer": VIEW, "Accountmanager": VIEW, "Beheerder": VIEW + WRITE}


def give(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    for name, codenames in RIGHTS.items():
        group = Group.objects.filter(name=name).first()
        if group is not None:  # somebody may have removed or renamed it
            group.permissions.add(*(_permission(apps, codename) for codename in codenames))


def _permission(apps, codename):
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="explanations", model="owntext"
    )
    found, _created = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type,
        codename=codename,
        defaults={"name": f"Can {codename.partition('_')[0]} text of our own"},
    )
    return found


def take(apps, schema_editor):
    """The permissions stay: they belong to their model."""
    Permission = apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=RIGHTS):
        group.permissions.remove(*Permission.objects.filter(codename__in=VIEW + WRITE))


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_groups")]
    operations = [migrations.RunPython(give, take)]
