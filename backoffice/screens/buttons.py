"""From an explanation to buttons: what can be done about it for the row at hand.

An explanation names an action (a key of `catalogue/actions.toml`). The roof registers, for each
action and kind of row, what makes its buttons; every page asks here. An action without a maker for
this kind of row, a page that this installation does not have, and a right that the colleague
lacks, all give no button: never a broken one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from backoffice.explanations.explanation import Explanation

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, AnonymousUser

MOST: Final = 4
"""More buttons beside one explanation are no help any more."""


@dataclass(frozen=True)
class Button:
    """A link, a post (`is_post`), or a `text` to copy; `hint` says what the text is for.

    `right` is the permission it takes, such as "persons.push_person"; empty for everybody.
    """

    label: str
    url: str = ""
    is_post: bool = False
    text: str = ""
    hint: str = ""
    right: str = ""
    key: str = ""


@dataclass(frozen=True)
class Ask:
    """What a button is asked for. `kind` is what messages call the row: `person_credit`."""

    explanation: Explanation
    kind: str
    row: Any
    user: AbstractUser | AnonymousUser


Maker = Callable[[Ask], Iterator[Button]]
_makers: dict[tuple[str, str], Maker] = {}


def register_buttons(action: str, kinds: Iterable[str], maker: Maker) -> None:
    """Tell what makes the buttons of an action for rows of these kinds."""
    for kind in kinds:
        _makers[action, kind] = maker


def registered() -> frozenset[tuple[str, str]]:
    """Every action that has buttons, with the kind of row it has them for."""
    return frozenset(_makers)


def buttons_for(
    explanation: Explanation, row: Model, *, kind: str, user: AbstractUser | AnonymousUser
) -> list[Button]:
    """What this colleague can do about this row, the first thing first; often nothing."""
    make = _makers.get((explanation.action, kind))
    if make is None:
        return []
    found: dict[tuple[str, str], Button] = {}
    for button in make(Ask(explanation, kind, row, user)):
        works = bool(button.url or button.text)
        if works and (not button.right or user.has_perm(button.right)):
            found.setdefault((button.url, button.text), button)
    return [replace(each, key=f"{kind}-{place}") for place, each in enumerate(found.values())][
        :MOST
    ]


def page_url(name: str, *args: object, **query: object) -> str:
    """The address of a page of the admin; empty when this installation does not have it."""
    try:
        url = reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return ""
    wanted = {key: value for key, value in query.items() if value not in ("", None)}
    return f"{url}?{urlencode(wanted)}" if wanted else url
