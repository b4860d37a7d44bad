from typing import Any

from django.db import migrations, models


def empty_those_of_deleted_rows(apps: Any, schema_editor: Any) -> None:
    """Counts by status then need not ask whether a row was deleted."""
    for name in ("PersonCredit", "SchoolCredit"):
        apps.get_model("credits", name).objects.filter(push_state="deleted").update(status="")


class Migration(migrations.Migration):
    dependencies = [("credits", "0002_returns_by_whom")]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="status",
            field=models.CharField(
                blank=True,
                choices=[
                    ("not_sent", "Not sent"),
                    ("sending", "Being sent"),
                    ("waiting", "Waits for another"),
                    ("refused", "Refused"),
                    ("uncertain", "Uncertain"),
                    ("waiting_for_prematch", "Waits for prematch"),
                    ("waiting_for_publisher", "Waits for publisher"),
                    ("publisher_fault", "Fault at publisher"),
                    ("not_yet_usable", "Not yet usable"),
                    ("usable", "Usable"),
                    ("expired", "Expired"),
                    ("returned", "Returned"),
                ],
                default="not_sent",
                max_length=24,
                verbose_name="status",
            ),
        )
        for model in ("personcredit", "schoolcredit")
    ] + [migrations.RunPython(empty_those_of_deleted_rows, migrations.RunPython.noop, elidable=True)]
