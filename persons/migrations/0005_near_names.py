"""Trigrams for surnames with a typing error, where PostgreSQL has them.

A database whose owner may not make the extension goes without: `persons.near` looks which it is.
"""

from django.db import migrations, transaction
from django.db.utils import Error

INDEXES = {
    "person_near_surname": "(surname gin_trgm_ops)",
}


def make(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("create extension if not exists pg_trgm")
        except Error:
            return
        for name, what in INDEXES.items():
            cursor.execute(f"create index if not exists {name} on persons_person using gin {what}")


def drop(apps, schema_editor):
    """The extension stays: something else may use it."""
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            for name in INDEXES:
                cursor.execute(f"drop index if exists {name}")


class Migration(migrations.Migration):
    dependencies = [("persons", "0004_email_key")]
    operations = [migrations.RunPython(make, drop)]
