"""What Django's own checks do not see: settings that are allowed to exist but not to be silent."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from lxml import etree

from backoffice.eduix.checks import check_partner

logger = logging.getLogger(__name__)

LEAST_LIBXML2: Final = (2, 14)  # older ones expand entities at the sender's expense


def check_environment(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Opt-outs that somebody chose are said at every start; unsafe parts stop it."""
    found: list[checks.CheckMessage] = []
    if etree.LIBXML_VERSION[:2] < LEAST_LIBXML2:
        found.append(
            checks.Error(
                "libxml2 is older than 2.14 and can be made to expand entities.",
                hint="Install lxml from requirements/prod.txt.",
                id="backoffice.E001",
            )
        )
    if settings.BACKOFFICE_ENV == "embedded":
        return found
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            checks.Warning(
                "SQLite holds the data (BACKOFFICE_ALLOW_SQLITE=1).",
                hint="Set DATABASE_URL to PostgreSQL: one writer at a time is too few in August.",
                id="backoffice.W002",
            )
        )
    if not settings.NOTIFICATION_CREDENTIALS:
        found.append(
            checks.Warning(
                "NOTIFICATION_CREDENTIALS is empty: every notification is answered with 503.",
                hint="Set the user name and password that Edu-iX has from you.",
                id="backoffice.W003",
            )
        )
    if not os.environ.get("BACKOFFICE_RETENTION_DAYS"):
        found.append(
            checks.Warning(
                "BACKOFFICE_RETENTION_DAYS was not chosen: bodies with personal data are kept for "
                f"{settings.BACKOFFICE_RETENTION_DAYS} days.",
                hint="Set the number of days that your agreements with schools allow.",
                id="backoffice.W006",
            )
        )
    if not settings.CELERY_BROKER_URL:
        found.append(
            checks.Warning(
                "CELERY_BROKER_URL is empty: `manage.py deliver` must run, or nothing is sent.",
                hint="Let a supervisor run it as a service of its own, or set a broker.",
                id="backoffice.W007",
            )
        )
    found += _second_factor()
    return found


def _second_factor() -> list[checks.CheckMessage]:
    if settings.BACKOFFICE_ENV != "production":
        return []
    if settings.BACKOFFICE_ALLOW_PASSWORD_ONLY:
        return [
            checks.Warning(
                "Colleagues log in with a password only (BACKOFFICE_ALLOW_PASSWORD_ONLY=1).",
                hint="Let a proxy with single sign-on stand in front of /admin/.",
                id="backoffice.W004",
            )
        ]
    return [
        checks.Error(
            "Production needs a second factor at login, and none is installed.",
            hint="Put single sign-on in front and set BACKOFFICE_ALLOW_PASSWORD_ONLY=1.",
            id="backoffice.E004",
        )
    ]


def check_database(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    """PostgreSQL must keep what it has acknowledged: a notification is told only once."""
    if not databases or connection.vendor != "postgresql":
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select name, setting from pg_settings"
                " where name in ('fsync', 'full_page_writes', 'synchronous_commit')"
                " and setting = 'off'"
            )
            return [
                checks.Error(
                    f"PostgreSQL runs with {name}={setting}: a power cut loses what was accepted.",
                    hint=f"Set {name} back to on.",
                    id="backoffice.E005",
                )
                for name, setting in cursor.fetchall()
            ]
    except DatabaseError:
        return []  # unreachable: the database check of the readiness page says so


def register() -> None:
    """Called once when the apps are ready."""
    checks.register(check_environment, checks.Tags.security)
    checks.register(check_database, checks.Tags.database)


def refuse_unsafe_start() -> None:
    """For servers, which run no checks by themselves: errors stop the start, warnings are logged.

    Raises `SystemExit` with one line per error.
    """
    found = [*check_environment(), *check_partner()]
    for message in found:
        logger.warning("unsafe_setting", extra={"id": message.id, "words": message.msg})
    errors = [
        f"{message.id}: {message.msg} {message.hint}" for message in found if message.is_serious()
    ]
    if errors:
        raise SystemExit("\n".join(errors))
