"""Forms and lists of rows that are pushed to Edu-iX: save through a service, send, explain."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backoffice.explanations.explanation import Explanation
from backoffice.outbox.calls import failed_attempt_url
from backoffice.outbox.cells import (
    Blocker,
    answer_of,
    blockers_of,
    compare_url,
    followers_of,
    push_pill,
    told_after_save,
)
from backoffice.outbox.models import Message, Pushable, PushState, key_of
from backoffice.screens.buttons import buttons_for
from backoffice.screens.forms import OfficeForm
from backoffice.screens.history import HistoryAdmin
from backoffice.screens.links import field_of, url_of
from backoffice.screens.numbers import with_number
from backoffice.screens.panels import panels_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.utils.functional import _StrOrPromise

P = TypeVar("P", bound=Pushable)

BULK_FROM = 20  # more than this lets what a colleague waits for go first
CHUNK = 500

# Not equal to Edu-iX, and nothing under way that will make it so.
SENDABLE = (PushState.LOCAL_ONLY, PushState.CHANGED, PushState.REFUSED)

WHY_SKIPPED: dict[str, _StrOrPromise] = {
    PushState.IN_SYNC: _("equal to Edu-iX already"),
    PushState.QUEUED: _("under way already"),
    PushState.SENDING: _("under way already"),
    PushState.UNCERTAIN: _("under way already"),
    PushState.WAITING: _("waiting for another message"),
    PushState.CONFLICT: _("different at Edu-iX: compare first"),
    PushState.DELETED: _("deleted"),
}


class PushableForm(OfficeForm[P]):
    """A form that shows the answer of Edu-iX under the field that was refused."""

    kind: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        answer = answer_of(row) if row.pk else None
        if answer is not None and row.push_code is not None:
            self.mark_refused(field_of(self.kind, row.push_code, row.push_text), answer)


@dataclass(frozen=True)
class Fact:
    """A line of the side card."""

    label: _StrOrPromise
    value: object


class PushableAdmin(HistoryAdmin[P]):
    """A row that people edit and Edu-iX mirrors."""

    kind: ClassVar[str]
    key_fields: ClassVar[tuple[str, ...]] = ()
    push_related: ClassVar[tuple[str, ...]] = ()

    change_form_template = "screens/pushable_form.html"
    actions = ["push_to_eduix"]

    # --- what each kind of row does in its own way -----------------------------------------------

    @abstractmethod
    def save_row(self, row: P, user: AbstractBaseUser, *, push: bool) -> Message | None:
        """Save through the service of this kind of row."""

    @abstractmethod
    def queue(self, row: P, user: AbstractBaseUser, priority: int) -> Message:
        """Queue through the service of this kind of row."""

    @abstractmethod
    def queue_many(self, rows: QuerySet[P], user: AbstractBaseUser) -> int:
        """Queue a chunk of a large selection; returns how many messages that made.

        Raises `IntegrityError` when somebody queues one of them at this very moment.
        """

    def sendable(self, rows: QuerySet[P]) -> QuerySet[P]:
        """Those that sending makes sense for."""
        return rows.filter(push_state__in=SENDABLE)

    def facts(self, row: P) -> Iterable[Fact]:
        """What the side card tells beside the sync state."""
        return ()

    # --- rights ----------------------------------------------------------------------------------

    def has_push_permission(self, request: HttpRequest) -> bool:
        """May send rows of this kind to Edu-iX."""
        return request.user.has_perm(f"{self.opts.app_label}.push_{self.opts.model_name}")

    def has_delete_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        """Only what Edu-iX never heard of may go: the rest is deleted there first."""
        allowed = super().has_delete_permission(request, obj)
        if obj is None:
            return allowed
        return allowed and obj.push_state == PushState.LOCAL_ONLY and obj.registered_at is None

    def get_readonly_fields(self, request: HttpRequest, obj: P | None = None) -> tuple[str, ...]:
        """The partner's keys stand fast once Edu-iX knows them."""
        fields = tuple(str(name) for name in super().get_readonly_fields(request, obj))
        if obj is not None and obj.registered_at is not None:
            return (*fields, *self.key_fields)
        return fields

    # --- form ------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: P, form: Any, change: bool) -> None:
        push = "_push" in request.POST and self.has_push_permission(request)
        self.save_row(obj, signed_in(request), push=push)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: P | None = context.get("original")
        context["may_push"] = self.has_push_permission(request)
        if row is not None:
            context["sync"] = card = sync_card(row, self.kind)
            if card.answer is not None:
                context["buttons"] = buttons_for(
                    card.answer, row, kind=self.kind, user=request.user
                )
            context["facts"] = list(self.facts(row))
            context["panels"] = panels_of(self.kind, request, row)
            context["compare_url"] = compare_url(key_of(self.kind, row.pk))
            context["may_compare"] = self.has_change_permission(request, row)
            context["messages_url"] = messages_url(key_of(self.kind, row.pk))
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(
        self, request: HttpRequest, obj: P, post_url_continue: str | None = None
    ) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return self._after_save(request, obj, added=True)

    def response_change(self, request: HttpRequest, obj: P) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        return self._after_save(request, obj, added=False)

    def _after_save(self, request: HttpRequest, row: P, *, added: bool) -> HttpResponse:
        """Tell what happens next; after sending stay here, where the answer will show."""
        self.message_user(request, told_after_save(key_of(self.kind, row.pk)), messages.SUCCESS)
        if "_push" in request.POST or "_continue" in request.POST:
            name = f"{self.opts.app_label}_{self.opts.model_name}_change"
            url = reverse(f"admin:{name}", args=[row.pk], current_app=self.admin_site.name)
            preserved = self.get_preserved_filters(request)
            return HttpResponseRedirect(
                add_preserved_filters({"preserved_filters": preserved, "opts": self.opts}, url)
            )
        if added:
            return self.response_post_save_add(request, row)
        return self.response_post_save_change(request, row)

    # --- action ----------------------------------------------------------------------------------

    @admin.action(description=_("Push to Edu-iX"), permissions=["push"])
    def push_to_eduix(self, request: HttpRequest, queryset: QuerySet[P]) -> None:
        rows = queryset.order_by()
        states = dict(self.sendable(rows).values_list("pk", "push_state"))
        skipped = Counter(rows.values_list("push_state", flat=True)) - Counter(states.values())
        due = sorted(states)
        self.queue_all(due, signed_in(request))
        level = messages.SUCCESS if due else messages.WARNING
        self.message_user(request, told_after_push(len(due), skipped), level)

    def queue_all(self, pks: list[int], user: AbstractBaseUser) -> None:
        """Queue these rows, in chunks of a transaction each."""
        for chunk in in_chunks(pks):
            self._queue_chunk(chunk, user, is_bulk=len(pks) > BULK_FROM)

    def _queue_chunk(self, pks: list[int], user: AbstractBaseUser, *, is_bulk: bool) -> None:
        """A handful goes one by one and first; many go in a few queries, and let others pass."""
        rows = self.model._default_manager.filter(pk__in=pks).order_by("pk")
        if is_bulk and self._queued_at_once(rows, user):
            return
        priority = Message.Priority.BULK if is_bulk else Message.Priority.INTERACTIVE
        with transaction.atomic():
            for row in rows.select_related(*self.push_related):
                self.queue(row, user, priority)

    def _queued_at_once(self, rows: QuerySet[P], user: AbstractBaseUser) -> bool:
        """False when somebody else queued one of these meanwhile: then they go one by one."""
        try:
            self.queue_many(rows, user)
        except IntegrityError:
            return False
        return True


@dataclass(frozen=True)
class SyncCard:
    """What the side card says about a row and Edu-iX."""

    pill: SafeString
    since: datetime | None
    answer: Explanation | None
    text: str
    blocker: Blocker | None
    blocker_url: str
    followers: int
    failed_url: str = ""


def sync_card(row: Pushable, kind: str) -> SyncCard:
    """Sync state, the last answer with its explanation, and what it waits for."""
    subject = key_of(kind, row.pk)
    blocker = blockers_of([subject]).get(subject) if row.push_state == PushState.WAITING else None
    root = blocker.message if blocker else None
    own = Message.objects.open().filter(subject=subject, operation__endswith=".push").first()
    return SyncCard(
        pill=push_pill(row),
        since=row.push_changed_at,
        answer=answer_of(row),
        text=row.push_text,
        blocker=blocker,
        blocker_url=url_of(root.subject, code=root.code, text=root.text) if root else "",
        followers=followers_of([own.pk]).get(own.pk, 0) if own is not None else 0,
        failed_url=failed_attempt_url([(root or own).pk]) if own is not None else "",
    )


def messages_url(subject: str) -> str:
    """Everything that went, or must go, to Edu-iX about one row."""
    return f"{reverse('admin:outbox_message_changelist')}?{urlencode({'subject': subject})}"


def signed_in(request: HttpRequest) -> AbstractBaseUser:
    """The colleague behind this request; the admin lets nobody else in."""
    return cast("AbstractBaseUser", request.user)


def in_chunks(pks: list[int]) -> Iterator[list[int]]:
    """Keys in lots small enough for one transaction."""
    for start in range(0, len(pks), CHUNK):
        yield pks[start : start + CHUNK]


def told_after_push(queued: int, skipped: Counter[str]) -> str:
    """`3 queued. 2 skipped: 1 under way already, 1 equal to Edu-iX already.`"""
    counts = with_number(
        ngettext("%d row queued for Edu-iX.", "%d rows queued for Edu-iX.", queued), queued
    )
    reasons: Counter[str] = Counter()
    for state, number in skipped.items():
        reasons[str(WHY_SKIPPED.get(state, _("nothing to send")))] += number
    if not reasons:
        return counts
    number = sum(reasons.values())
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    left_out = _("%(number)d skipped: %(why)s.") % {"number": number, "why": why}
    return f"{counts} {left_out}"
