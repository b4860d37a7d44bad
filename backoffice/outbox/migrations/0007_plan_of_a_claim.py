from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget_which_statuses_are_common(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Keep the planner from believing that hardly any message is queued.

    Nearly all messages are done, and statistics that say so are old whenever a queue is filled:
    then PostgreSQL takes any index on open messages for empty and reads all of it for each head of
    a chain (415 ms for a claim among 20,000). Without statistics it takes the index on the chain.
    The type is the one it has; setting it drops the statistics that are there.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE outbox_message ALTER COLUMN status TYPE varchar(12),"
            " ALTER COLUMN status SET STATISTICS 0"
        )


def count_them_again(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE outbox_message ALTER COLUMN status SET STATISTICS -1")


class Migration(migrations.Migration):

    dependencies = [("outbox", "0006_batch")]

    operations = [migrations.RunPython(forget_which_statuses_are_common, count_them_again)]
