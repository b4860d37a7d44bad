"""How up to date something is, in three words: on time, running late, action needed.

Pure functions of facts and the clock; `running.py` and `schools_running.py` fetch the facts. A
fourth word, not known yet, stands for what never ran here. The words hold:

==============  ========================  =============================  ==========================
what            on time                   running late                   action needed
==============  ========================  =============================  ==========================
sending         queue empty, or its       oldest older than 10 minutes   older than 2 hours, or all
                oldest is younger                                        sending stopped
worker          sign within a minute      none for a minute              none for two minutes, or
                                                                         never while a queue waits
Edu-iX, each    last exchange answered    last exchange not answered     the same, and 2 hours since
service                                                                  an answer; login refused
notifications   anything came after the   20 credits that a publisher    the same for 3 hours, or a
                credits that left         should answer left an hour     notification stored 2 hours
                                          ago and nothing came since;    ago and not applied; or a
                                          or 20 that a school should     sender refused within
                                          link left a day ago; or one    the hour and none let in
                                          stored 10 minutes ago is not
                                          applied
comparison      ended within 26 hours     within 50 hours                longer ago
daily mail      sent                      the mail server refused it     the same for the fifth time
a school        neither of the others     a row is under way for 10      Edu-iX or a publisher
                                          minutes; unsent, or at the     refused a row that still
                                          publisher, for a day; or at    counts
                                          the school for a week
==============  ========================  =============================  ==========================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

QUEUE_LATE: Final = timedelta(minutes=10)
QUEUE_STUCK: Final = timedelta(hours=2)
WORKER_LATE: Final = timedelta(seconds=60)  # it gives a sign every five seconds
WORKER_GONE: Final = timedelta(seconds=120)
PARTNER_GONE: Final = timedelta(hours=2)
ENOUGH: Final = 20  # credits of which at least one should have brought a notification
PUBLISHER_SILENT: Final = timedelta(hours=1)
PUBLISHER_GONE: Final = timedelta(hours=3)
SCHOOL_SILENT: Final = timedelta(days=1)
NIGHT: Final = timedelta(hours=26)  # a night may begin at two and end later than the one before
TWO_NIGHTS: Final = timedelta(hours=50)
MAIL_TRIES: Final = 5
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)


class Word(TextChoices):
    """How something stands; the value is also the tone of its dot."""

    ON_TIME = "ok", _("on time")
    BEHIND = "wait", _("running late")
    ACTION = "bad", _("action needed")
    UNKNOWN = "q", _("not known yet")


def _older(since: datetime | None, late: timedelta, worse: timedelta, now: datetime) -> Word:
    """On time until `late` has passed since then, and in need of somebody after `worse`."""
    if since is None or now - since <= late:
        return Word.ON_TIME
    return Word.ACTION if now - since > worse else Word.BEHIND


def worst(*words: Word) -> Word:
    """The word that counts when several hold."""
    order = (Word.ACTION, Word.BEHIND, Word.UNKNOWN, Word.ON_TIME)
    return min(words, key=order.index)


@dataclass(frozen=True)
class SendingFacts:
    """The queue, and whether all sending was stopped; `has_sent`: this ever worked here."""

    rows: int = 0
    oldest_at: datetime | None = None
    stopped_at: datetime | None = None
    has_sent: bool = False


def sending_word(facts: SendingFacts, now: datetime) -> Word:
    """What leaves for Edu-iX."""
    if facts.stopped_at is not None:
        return Word.ACTION
    if not facts.rows and not facts.has_sent:
        return Word.UNKNOWN
    return _older(facts.oldest_at if facts.rows else None, QUEUE_LATE, QUEUE_STUCK, now)


def worker_word(seen_at: datetime | None, has_queue: bool, now: datetime) -> Word:
    """The process that sends and applies."""
    if seen_at is None:
        return Word.ACTION if has_queue else Word.UNKNOWN
    return _older(seen_at, WORKER_LATE, WORKER_GONE, now)


@dataclass(frozen=True)
class PartnerFacts:
    """One service of Edu-iX."""

    answered_at: datetime | None = None
    failed_at: datetime | None = None
    refused_at: datetime | None = None


def partner_word(facts: PartnerFacts, now: datetime) -> Word:
    """Whether this service of Edu-iX answers."""
    if facts.refused_at is not None:
        return Word.ACTION
    if facts.failed_at is None:
        return Word.UNKNOWN if facts.answered_at is None else Word.ON_TIME
    if facts.answered_at is not None and facts.answered_at >= facts.failed_at:
        return Word.ON_TIME
    since = facts.answered_at or facts.failed_at
    return worst(Word.BEHIND, _older(since, timedelta(0), PARTNER_GONE, now))


@dataclass(frozen=True)
class NotificationFacts:
    """What came in, beside what left.

    `publisher_due_at` is when the twentieth credit left that a publisher should answer and after
    which nothing came; `school_due_at` the same for credits of pupils that a school should link.
    """

    last_at: datetime | None = None
    publisher_due_at: datetime | None = None
    school_due_at: datetime | None = None
    stored_at: datetime | None = None

    def silence(self, now: datetime) -> Word:
        """Only the silence: what is received has nothing to do with it."""
        return worst(
            _older(self.publisher_due_at, PUBLISHER_SILENT, PUBLISHER_GONE, now),
            _older(self.school_due_at, SCHOOL_SILENT, timedelta.max, now),
        )


def notifications_word(facts: NotificationFacts, now: datetime) -> Word:
    """Whether Edu-iX tells us things, and whether we take them over."""
    word = worst(facts.silence(now), _older(facts.stored_at, QUEUE_LATE, QUEUE_STUCK, now))
    return Word.UNKNOWN if word == Word.ON_TIME and facts.last_at is None else word


def comparison_word(ended_at: datetime | None, now: datetime) -> Word:
    """The comparison of every night."""
    return Word.UNKNOWN if ended_at is None else _older(ended_at, NIGHT, TWO_NIGHTS, now)


def mail_word(tries: int) -> Word:
    """A mail that the server refused so many times; five take an hour and a half."""
    return Word.ACTION if tries >= MAIL_TRIES else Word.BEHIND


@dataclass(frozen=True)
class SchoolFacts:
    """One school: rows that were refused, and since when the oldest of the others waits."""

    refused: int = 0
    under_way_since: datetime | None = None
    unsent_since: datetime | None = None
    at_publisher_since: datetime | None = None
    at_school_since: datetime | None = None


def school_word(facts: SchoolFacts, now: datetime) -> Word:
    """How the rows of one school stand."""
    if facts.refused:
        return Word.ACTION
    return worst(
        _older(facts.under_way_since, QUEUE_LATE, timedelta.max, now),
        _older(facts.unsent_since, DAY, timedelta.max, now),
        _older(facts.at_publisher_since, DAY, timedelta.max, now),
        _older(facts.at_school_since, WEEK, timedelta.max, now),
    )
