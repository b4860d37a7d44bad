"""What is ready on our own side: the database, the broker, the worker, the disk."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from kombu import Connection

from backoffice.desk.freshness import NIGHT, TWO_NIGHTS
from backoffice.desk.health import database_problem
from backoffice.desk.pruning import SERVICE as PRUNE
from backoffice.desk.readiness import Row, State, worst
from backoffice.desk.running import trouble_of
from backoffice.desk.since import duration, moment
from backoffice.outbox.models import ServiceState
from backoffice.outbox.stops import SERVICE, WORK

BROKER_SECONDS: Final = 2.0
# It gives a sign every five seconds. Celery may leave a minute between two rings.
WORKER_GONE: Final = timedelta(seconds=45)
WORKER_GONE_CELERY: Final = timedelta(seconds=60)
CLOCK_NOTED, CLOCK_WRONG = 2.0, 60.0  # seconds
SPACE_NOTED: Final = (0.10, 2 * 2**30)  # share and bytes that are left
SPACE_WRONG: Final = (0.03, 2**29)


def administrator() -> str:
    """Who has a shell on the machine."""
    return _("Your system administrator")


# --- the database -------------------------------------------------------------------------------


def database() -> Row:
    """Whether it answers, and has our tables."""
    begun = time.monotonic()
    problem = database_problem()
    took = round((time.monotonic() - begun) * 1000)
    if problem == "does not answer":
        return Row(
            "database",
            _("Database"),
            State.ACTION,
            _("does not answer"),
            remedy=_("Start the database, and look whether DATABASE_URL is right."),
            who=administrator(),
        )
    if problem:
        return Row(
            "database",
            _("Database"),
            State.ACTION,
            _("%(version)s; tables of a newer version are missing") % {"version": _version()},
            remedy=_("Run “manage.py migrate”, then start the processes again."),
            who=administrator(),
        )
    seen = _("%(version)s; tables are up to date, looked up in %(time)d ms") % {
        "version": _version(),
        "time": took,
    }
    return Row("database", _("Database"), State.READY, seen)


def _version() -> str:
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with connection.cursor() as cursor:
        cursor.execute("show server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"


def durability() -> Row:
    """Whether a power cut can take back what the database has acknowledged."""
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("pragma journal_mode")
                journal = str(cursor.fetchone()[0])
                cursor.execute("pragma synchronous")
                return durability_row(sqlite_settings(journal, int(cursor.fetchone()[0])))
            cursor.execute(
                "select name, setting from pg_settings"
                " where name in ('fsync', 'full_page_writes', 'synchronous_commit')"
            )
            return durability_row({name: (value, value != "off") for name, value in cursor})
    except DatabaseError:
        return Row(
            "durability", _("Safe on disk"), State.UNKNOWN, _("the database does not answer")
        )


def sqlite_settings(journal: str, synchronous: int) -> dict[str, tuple[str, bool]]:
    """What SQLite runs with, and whether that is safe: a write-ahead log, written through."""
    names = {0: "off", 1: "normal", 2: "full", 3: "extra"}
    return {
        "journal_mode": (journal, journal == "wal"),
        "synchronous": (names.get(synchronous, str(synchronous)), synchronous >= 2),
    }


def durability_row(found: Mapping[str, tuple[str, bool]]) -> Row:
    """One row for all settings."""
    seen = ", ".join(f"{name} = {value}" for name, (value, _is_safe) in sorted(found.items()))
    seen = _("set to %s") % seen
    wrong = sorted(name for name, (_value, is_safe) in found.items() if not is_safe)
    if not wrong:
        return Row("durability", _("Safe on disk"), State.READY, seen)
    return Row(
        "durability",
        _("Safe on disk"),
        State.ACTION,
        seen,
        remedy=_(
            "A power cut may take back what was accepted. Put back in the database: %s. "
            "Then start it again."
        )
        % ", ".join(wrong),
        who=administrator(),
    )


def clock() -> Row:
    """The database's clock beside ours; a file has none of its own."""
    name = _("Clock of the database")
    if connection.vendor == "sqlite":
        return Row("clock", name, State.READY, _("the clock of this machine"))
    try:
        before = time.time()
        with connection.cursor() as cursor:
            cursor.execute("select extract(epoch from clock_timestamp())")
            theirs = float(cursor.fetchone()[0])
    except DatabaseError:
        return Row("clock", name, State.UNKNOWN, _("the database does not answer"))
    return clock_row("clock", name, theirs - (before + time.time()) / 2)


def clock_row(key: str, name: str, seconds: float, since: datetime | None = None) -> Row:
    """How far another clock is ahead of ours."""
    seen = _("%(seconds)s s ahead of this machine") % {
        "seconds": number_format(round(seconds, 1), 1)
    }
    if seconds < 0:
        seen = _("%(seconds)s s behind this machine") % {
            "seconds": number_format(round(-seconds, 1), 1)
        }
    state = State.READY
    if abs(seconds) > CLOCK_NOTED:
        state = State.ACTION if abs(seconds) > CLOCK_WRONG else State.LOOK
    remedy = _("Let this machine set its clock over the network (NTP), and the other one too.")
    is_ready = state == State.READY
    return Row(
        key,
        name,
        state,
        seen,
        since,
        remedy="" if is_ready else remedy,
        who="" if is_ready else administrator(),
    )


# --- broker and worker --------------------------------------------------------------------------


def broker() -> Row:
    """Whether the doorbell works; without one the worker looks by itself."""
    name, url = _("Broker"), settings.CELERY_BROKER_URL
    if not url:
        return Row("broker", name, State.READY, _("none needed: the worker looks by itself"))
    kind = urlsplit(url).scheme.partition("+")[0]
    limits = {"socket_connect_timeout": BROKER_SECONDS, "socket_timeout": BROKER_SECONDS}
    options = limits if kind.startswith("redis") else {}
    begun = time.monotonic()
    with Connection(url, connect_timeout=BROKER_SECONDS, transport_options=options) as doorbell:
        errors: tuple[type[BaseException], ...] = (
            OSError,
            *doorbell.connection_errors,
            *doorbell.channel_errors,
        )
        try:
            transport = doorbell.transport
            transport.close_connection(transport.establish_connection())
        except errors:
            return Row(
                "broker",
                name,
                State.LOOK,
                _("%s does not answer") % kind,
                remedy=_(
                    "Nothing is lost: messages wait in the database. Start the broker, or run "
                    "“manage.py deliver”, which needs none."
                ),
                who=administrator(),
            )
    took = round((time.monotonic() - begun) * 1000)
    seen = _("%(kind)s answers in %(time)d ms") % {"kind": kind, "time": took}
    return Row("broker", name, State.READY, seen)


def worker(states: Mapping[str, ServiceState], now: datetime) -> Row:
    """The process that sends and applies; it gives a sign every few seconds."""
    name, state = _("Worker"), states.get(SERVICE)
    beat_at = state.beat_at if state is not None else None
    start = _("Start “manage.py deliver” again, and look in its log why it stopped.")
    if settings.CELERY_BROKER_URL:
        start = _("Start the Celery worker and its beat again, and look in their log.")
    if beat_at is None:
        return Row(
            "worker",
            name,
            State.ACTION,
            _("never gave a sign"),
            remedy=start,
            who=administrator(),
        )
    age = now - beat_at
    gone = WORKER_GONE_CELERY if settings.CELERY_BROKER_URL else WORKER_GONE
    if age < gone:
        seen = _("at work; last sign %s ago") % duration(age)
        return Row("worker", name, State.READY, seen)
    return Row(
        "worker",
        name,
        State.ACTION,
        _("no sign for %s; nothing is sent and no notification is applied") % duration(age),
        beat_at,
        remedy=start,
        who=administrator(),
    )


def background(states: Mapping[str, ServiceState], now: datetime) -> Row:
    """Whether the work beside sending met an error that nobody foresaw."""
    name, met = _("Work beside sending"), trouble_of(states, now)
    if met is None:
        return Row("background", name, State.READY, _("no errors in the last hour"))
    return Row(
        "background",
        name,
        State.ACTION,
        _("“%(work)s” failed (%(error)s)")
        % {"work": met.service.removeprefix(WORK), "error": met.last_failure},
        met.last_failure_at,
        remedy=_("It is tried again by itself. Does it stay? Send the log of the worker along."),
        who=_("Your supplier"),
    )


# --- keeping ------------------------------------------------------------------------------------


def retention(states: Mapping[str, ServiceState], now: datetime) -> Row:
    """Whether what is too old loses its content."""
    name, state = _("Retention"), states.get(PRUNE)
    days = settings.BACKOFFICE_RETENTION_DAYS
    ran_at = state.beat_at if state is not None else None
    if ran_at is None:
        seen = _("has not run yet; keeps %d days") % days
        return Row("retention", name, State.UNKNOWN, seen)
    seen = _("last run %(time)s; keeps %(days)d days") % {"time": moment(ran_at, now), "days": days}
    if now - ran_at <= NIGHT:
        return Row("retention", name, State.READY, seen)
    return Row(
        "retention",
        name,
        State.ACTION if now - ran_at > TWO_NIGHTS else State.LOOK,
        seen,
        ran_at,
        remedy=_("The worker does this once a day. Does it run? Else run “manage.py prune”."),
        who=administrator(),
    )


def disk() -> Row:
    """Room for files, and for the database where it is a file."""
    folder = Path(settings.BACKOFFICE_VAR)
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return Row("disk", _("Disk space"), State.UNKNOWN, _("cannot be read"))
    return disk_row(free=usage.free, total=usage.total, database=_database_size())


def disk_row(*, free: int, total: int, database: int | None) -> Row:
    """By share and by bytes: a tenth of a large disk is plenty."""
    seen = _("%(free)s of %(total)s free") % {
        "free": filesizeformat(free),
        "total": filesizeformat(total),
    }
    if database is not None:
        seen = _("%(space)s; the database takes %(size)s") % {
            "space": seen,
            "size": filesizeformat(database),
        }
    state = State.READY
    for (share, least), found in ((SPACE_NOTED, State.LOOK), (SPACE_WRONG, State.ACTION)):
        if free < least and free < share * total:
            state = worst([state, found])
    if state == State.READY:
        return Row("disk", _("Disk space"), state, seen)
    return Row(
        "disk",
        _("Disk space"),
        state,
        seen,
        remedy=_("Make room, or give the machine a larger disk: a full one stops all receiving."),
        who=administrator(),
    )


def _database_size() -> int | None:
    try:
        if connection.vendor == "sqlite":
            path = Path(str(connection.settings_dict["NAME"]))
            return path.stat().st_size if path.is_file() else None
        with connection.cursor() as cursor:
            cursor.execute("select pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    except (DatabaseError, OSError):
        return None
