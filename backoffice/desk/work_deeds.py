"""Where a work item leads: its list, its page, and the one button for all of it."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from backoffice.desk.work import Deed
from backoffice.desk.work_count import HELD, Tally
from backoffice.desk.work_keys import Key
from backoffice.desk.work_naming import form_for
from backoffice.desk.work_rows import CREDITS
from backoffice.explanations.services import Explanation, PublisherFault
from backoffice.outbox.cells import compare_url
from backoffice.outbox.models import key_of
from backoffice.screens.buttons import page_url
from backoffice.screens.links import url_of

PAGES: Final = {
    "person_credit": "credits_personcredit_changelist",
    "school_credit": "credits_schoolcredit_changelist",
    "person": "persons_person_changelist",
    "schoolperson": "persons_schoolperson_changelist",
    "person_change": "persons_personchange_changelist",
    "notification": "notifications_notification_changelist",
}
PUSHED: Final = ("refused", "fault", "unsent", "silent")  # sending again may help, or is asked for
# What the same data would only be refused for again; “fetch” looks up what was mistyped.
MENDED_FIRST: Final = ("edit", "find_duplicates", "rename", "fetch", "choose_school", "compare")
UNPUSHED: Final = ("person_change", "credit_return")  # done once, each from its own page


def passes(explanation: Explanation) -> bool:
    """Its code says that it passes by itself."""
    return explanation.clears_itself or explanation.owner == "niemand"


def list_url(key: Key, parts: dict[str, Tally], manager: int | None = None) -> str:
    """The list of exactly these rows, of the kind that people ask about first.

    `manager` is the account manager to whose schools the numbers are restricted.
    """
    if key.family == "notification":
        return page_url(PAGES["notification"], verdict=key.part("verdict"))
    for kind, page in PAGES.items():
        if kind in parts:
            return page_url(page, werk=asked_rows(key, manager))
    group = "attention" if key.family in ("refused", "conflict") else "under_way"
    return page_url("outbox_message_changelist", group=group)


def asked_rows(key: Key, manager: int | None) -> str:
    """What the filter of a list takes: `prematch:12`, of one account manager `prematch:12@3`."""
    return f"{key}@{manager}" if manager else str(key)


def item_url(key: Key | str, **asked: str) -> str:
    """The page of one item: its notes and its buttons."""
    return page_url("work_item", item=str(key), **asked)


def deed_of(
    key: Key, parts: dict[str, Tally], explanation: Explanation, fault: PublisherFault, url: str
) -> Deed:
    """One button: what acts on all of it, else where one begins."""
    can_push = key.family in PUSHED and key.part("kind") not in UNPUSHED
    match key.family:
        case "fault" if not explanation.known and key.code:
            form = form_for(fault)
            return Deed(_("Write the explanation"), form, right="explanations.add_publishercode")
        case "refused" if can_push and passes(explanation):
            return _push(key, parts)
        case "refused" | "conflict" if parts.get(key.part("kind"), Tally()).rows == 1:
            return _mend(key, parts, url)
        case "refused" if explanation.owner == "wij" and explanation.action in MENDED_FIRST:
            return Deed(_("Mend"), url)
        case "conflict":
            return Deed(_("Compare"), url)
        case "prematch":
            return Deed(_("Write to the school"), f"{item_url(key)}#letter")
        case "login" | "stuck" | "unreachable":
            return Deed(_("Try sending again"), do="resume", right="outbox.change_message")
    return _push(key, parts) if can_push else Deed(_("Look"), url)


def _push(key: Key, parts: dict[str, Tally]) -> Deed:
    """Send all rows; who may send the first kind may press it."""
    kind = next(kind for kind in parts if kind != HELD)
    words = _("Send all") if key.family == "unsent" else _("Send all again")
    return Deed(words, do="push", right=push_right(kind))


def push_right(kind: str) -> str:
    """The permission to send rows of this kind."""
    app = "credits" if kind in CREDITS else "persons"
    return f"{app}.push_{kind.replace('_', '')}"


def _mend(key: Key, parts: dict[str, Tally], elsewhere: str) -> Deed:
    """One row: straight to where it is mended."""
    kind = key.part("kind")
    subject = key_of(kind, parts[kind].max_pk)
    if key.family == "conflict":
        url = compare_url(subject)
        return Deed(_("Compare"), url) if url else Deed(_("Look"), elsewhere)
    url = url_of(subject, code=key.code)
    return Deed(_("Mend"), url) if url else Deed(_("Look"), elsewhere)
