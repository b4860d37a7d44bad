"""Chips and filters of the list of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.outbox.models import Message
from backoffice.outbox.registry import senders
from backoffice.outbox.words import operation_words
from backoffice.screens.filters import Group, GroupFilter

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

Status = Message.Status


class MessageGroupFilter(GroupFilter):
    """Parts of the list by status."""

    groups = {
        "attention": Group(_("Needs attention"), (Status.REFUSED, Status.CONFLICT)),
        "waiting": Group(_("Waiting for another"), (Status.WAITING,)),
        "under_way": Group(_("Under way"), (Status.QUEUED, Status.SENDING, Status.UNCERTAIN)),
        "done": Group(_("Done"), (Status.DONE, Status.CANCELLED)),
    }


class OperationFilter(admin.SimpleListFilter):
    """What kind of call a message is."""

    title = _("operation")
    parameter_name = "operation"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Iterable[tuple[str, _StrOrPromise]]:
        return [(name, operation_words(name)) for name in sorted(senders)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(operation=value)
