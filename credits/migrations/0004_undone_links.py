from typing import Any

from django.db import migrations


def no_longer_usable(apps: Any, schema_editor: Any) -> None:
    """What a publisher once accepted cannot be opened after the school undid its link."""
    places = apps.get_model("persons", "SchoolPerson").objects.filter(
        person__user_id="", person__eck_id="", person__user_id_changed_at__isnull=False
    )
    credits = apps.get_model("credits", "PersonCredit").objects
    credits.filter(status="usable", school_person__in=places.values("pk")).update(
        status="waiting_for_prematch"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0003_deleted_have_no_status"),
        ("persons", "0001_initial"),
    ]

    operations = [migrations.RunPython(no_longer_usable, migrations.RunPython.noop, elidable=True)]
