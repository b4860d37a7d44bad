"""Sending all rows of a work item: found anew from its key, checked, and queued.

Many are a job with a page of its own (`backoffice.jobs.push_jobs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.desk.work_deeds import PUSHED, UNPUSHED, push_right
from backoffice.desk.work_keys import Key
from backoffice.desk.work_rows import MODELS, Scope, rows_of
from backoffice.desk.work_states import NotPossible
from backoffice.jobs.push_jobs import AT_ONCE, Part
from backoffice.jobs.push_views import TYPED_FROM
from persons.sendable_admin import SendableAdmin

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


@dataclass(frozen=True)
class Order:
    """What the button is about to do, as it stands now."""

    key: Key
    parts: list[Part]  # first what others depend on
    number: int

    @property
    def rows(self) -> dict[str, list[int]]:
        """Which rows they are, of an order that is not large."""
        return {
            kind: list(rows.order_by("pk").values_list("pk", flat=True))
            for kind, rows in self.parts
        }

    @property
    def is_large(self) -> bool:
        """So many that they become a job."""
        return self.number >= AT_ONCE

    @property
    def needs_typing(self) -> bool:
        """So many that a second look is asked for."""
        return self.number > TYPED_FROM


def order_for(key: Key, scope: Scope) -> Order:
    """The rows of an item, first what others depend on. Raises `NotPossible`."""
    if key.family not in PUSHED or key.part("kind") in UNPUSHED:
        raise NotPossible(_("These rows cannot be sent all at once: open the list."))
    counts = {kind: (rows, rows.count()) for kind, rows in rows_of(key, scope).items()}
    parts = [(kind, rows) for kind, (rows, number) in counts.items() if number]
    return Order(key, parts, sum(number for _rows, number in counts.values()))


def may_push(order: Order, user: Any) -> bool:
    """This colleague may send every kind of row in it."""
    return all(user.has_perm(push_right(kind)) for kind, _rows in order.parts)


def push_all(order: Order, *, site: AdminSite, user: AbstractBaseUser, seen: int) -> str:
    """Queue them; returns what the colleague reads. Raises `NotPossible`, and then nothing went.

    `seen` is how many there were when the colleague pressed. What Edu-iX would refuse stays here,
    as in the lists; an ID that can never be mended is looked at first, row by row.
    """
    due: dict[str, list[int]] = {}
    refused = 0
    for kind, pks in order.rows.items():
        office = _office(site, kind)
        plan = office.plan(MODELS[kind]._default_manager.filter(pk__in=pks), with_envelopes=False)
        if plan.for_ever:
            raise NotPossible(
                ngettext(
                    "%d row holds an ID that Edu-iX never lets us mend. Open the list, choose it "
                    "there and look before you send. Nothing was sent.",
                    "%d rows hold an ID that Edu-iX never lets us mend. Open the list, choose them "
                    "there and look before you send. Nothing was sent.",
                    plan.for_ever,
                )
                % plan.for_ever
            )
        refused += len(plan.refused)
        due[kind] = sorted(set(pks) - set(plan.refused))
    for kind, pks in due.items():
        _office(site, kind).queue_all(pks, user)
    return _told(order, sum(map(len, due.values())), refused, seen)


def _office(site: AdminSite, kind: str) -> SendableAdmin[Any]:
    """The list of these rows knows how they are checked and queued."""
    found = site.get_model_admin(MODELS[kind])
    assert isinstance(found, SendableAdmin)  # noqa: S101  only such kinds come here
    return found


def _told(order: Order, queued: int, refused: int, seen: int) -> str:
    words = ngettext("%s row queued for Edu-iX.", "%s rows queued for Edu-iX.", queued)
    parts = [words % number_format(queued)]
    under_way = seen - order.number
    if under_way > 0:
        words = ngettext(
            "%s was under way or solved already.",
            "%s were under way or solved already.",
            under_way,
        )
        parts.append(words % number_format(under_way))
    if refused:
        words = ngettext(
            "%s was not sent: Edu-iX would refuse it.",
            "%s were not sent: Edu-iX would refuse them.",
            refused,
        )
        parts.append(words % number_format(refused))
    return " ".join(parts)
