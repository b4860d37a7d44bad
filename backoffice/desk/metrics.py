"""`/metrics`: how sending and receiving go, as Prometheus reads it; nothing about a person.

All figures come from the database at the moment of asking, so any process tells the same.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from backoffice.desk.sending_health import LATEST, paces, tries_since
from backoffice.jobs.models import Job
from backoffice.outbox import stops
from backoffice.outbox.models import Message, ServiceState
from notifications.models import Notification
from notifications.peers import networks, peer_of

WINDOW: Final = timedelta(minutes=5)


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures, for the addresses in BACKOFFICE_METRICS_IPS; 403 for any other."""
    if not _may_read(peer_of(request.META).source):
        return HttpResponse(
            "This address is not in BACKOFFICE_METRICS_IPS.\n",
            status=403,
            content_type="text/plain; charset=utf-8",
        )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(source: str) -> bool:
    if not source:
        return False
    address = ipaddress.ip_address(source)
    return any(address in one for one in networks(tuple(settings.BACKOFFICE_METRICS_IPS)))


class Figures(Collector):
    """One reading, in a number of queries that does not depend on the data."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._outbox()
        yield from self._attempts()
        yield from self._service()
        yield from self._notifications()
        yield _single("backoffice_jobs_at_work", "Jobs that people wait for.", _jobs())

    def _outbox(self) -> Iterator[Metric]:
        depth = Gauge(
            "backoffice_outbox_messages",
            "Messages that are not finished.",
            labels=["operation", "status"],
        )
        age = Gauge(
            "backoffice_outbox_oldest_seconds",
            "How long the oldest unfinished message has been asked for.",
            labels=["operation", "status"],
        )
        rows = (
            Message.objects.open()
            .order_by()
            .values_list("operation", "status")
            .annotate(number=Count("pk"), oldest=Min("asked_at"))
        )
        for operation, status, number, oldest in sorted(rows):
            depth.add_metric([operation, status], number)
            age.add_metric([operation, status], max(0.0, (self.now - oldest).total_seconds()))
        yield depth
        yield age

    def _attempts(self) -> Iterator[Metric]:
        tries = Gauge(
            "backoffice_attempts_last_5_minutes",
            "Tries that began in the last five minutes, by outcome and code of Edu-iX.",
            labels=["operation", "outcome", "code"],
        )
        counts = tries_since(self.now - WINDOW)
        for labels, number in sorted(counts.items()):
            tries.add_metric(labels, number)
        yield tries
        pace = Gauge(
            "backoffice_sending_per_minute",
            "Tries a minute in the last five minutes, by operation.",
            labels=["operation"],
        )
        refused = Gauge(
            "backoffice_sending_refused_share",
            "Part of the answers of the last five minutes that refused or differed, 0 to 1.",
            labels=["operation"],
        )
        for operation, found in sorted(paces(counts, WINDOW).items()):
            pace.add_metric([operation], found.per_minute)
            refused.add_metric([operation], found.refused)
        yield pace
        yield refused

    def _service(self) -> Iterator[Metric]:
        row = ServiceState.objects.filter(service=stops.SERVICE).first() or ServiceState()
        yield _single(
            "backoffice_login_refused",
            "1 while all sending stands still because Edu-iX refuses our login.",
            float(row.stopped_at is not None),
        )
        yield _single(
            "backoffice_eduix_unreachable",
            "1 while Edu-iX could not be reached at the last try.",
            float(row.failures > 0),
        )
        for name, words, at in (
            ("backoffice_worker_beat", "The worker's last sign.", row.beat_at),
            ("backoffice_eduix_answer", "Edu-iX' last answer.", row.last_success_at),
        ):
            yield _moment(f"{name}_timestamp_seconds", f"{words} Unix time, 0 for never.", at)

    def _notifications(self) -> Iterator[Metric]:
        told = Gauge(
            "backoffice_notifications_last_5_minutes",
            "Notifications that came in the last five minutes.",
            labels=["kind", "verdict"],
        )
        newest = Notification.objects.order_by("-pk").values("pk")[:LATEST]
        rows = (
            Notification.objects.filter(pk__in=newest, received_at__gte=self.now - WINDOW)
            .order_by()
            .values_list("kind", "verdict")
            .annotate(number=Count("pk"))
        )
        for kind, verdict, number in sorted(rows):
            told.add_metric([kind, verdict], number)
        yield told
        last = Notification.objects.order_by("-pk").values_list("received_at", flat=True).first()
        yield _moment(
            "backoffice_notification_timestamp_seconds",
            "The last notification. Unix time, 0 for never.",
            last,
        )
        waiting = Notification.objects.filter(
            verdict__in=[Notification.Verdict.WAITING, Notification.Verdict.FAILED]
        ).aggregate(oldest=Min("received_at"))["oldest"]
        lag = 0.0 if waiting is None else max(0.0, (self.now - waiting).total_seconds())
        yield _single(
            "backoffice_notifications_lag_seconds",
            "How long the oldest notification waits that is not applied yet.",
            lag,
        )


def _jobs() -> float:
    return float(Job.objects.filter(status__in=Job.AT_WORK).count())


def _single(name: str, words: str, value: float) -> Metric:
    return Gauge(name, words, value=value)


def _moment(name: str, words: str, at: datetime | None) -> Metric:
    return _single(name, words, at.timestamp() if at is not None else 0.0)
