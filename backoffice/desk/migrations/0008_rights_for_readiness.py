"""Who may read the page of what is ready, and have Edu-iX asked: the functional administrator.

The permissions are made here when they are not there yet, as the first migration does.
"""

from django.db import migrations

RIGHTS = {"Beheerder": ("view_outsidecheck", "change_outsidecheck")}
CALLED = "check of what is outside"


def give(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    for name, codenames in RIGHTS.items():
        group = Group.objects.filter(name=name).first()
        if group is not None:  # somebody may have removed or renamed it
            group.permissions.add(*(_permission(apps, codename) for codename in codenames))


def _permission(apps, codename):
    action, _underscore, model = codename.partition("_")
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="desk", model=model
    )
    found, _created = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": f"Can {action} {CALLED}"}
    )
    return found


def take(apps, schema_editor):
    """The permissions stay: they belong to their models."""
    Permission = apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=RIGHTS):
        group.permissions.remove(
            *Permission.objects.filter(codename__in=[name for names in RIGHTS.values() for name in names])
        )


class Migration(migrations.Migration):
    dependencies = [("desk", "0007_outside_checks")]
    operations = [migrations.RunPython(give, take)]
