"""The control page: look into the sandbox and order troubles, with plain forms in a browser.

Forms are answered with a redirect, so that reloading orders nothing twice. The server has
checked that the browser stands on this machine and that the form is the page's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from django.template import Context, Engine
from django.template.base import Template
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.eduix.contract import HEADERS, OPERATIONS, SESSION_HEADER

from .controls import ControlError, Controls, UnknownKeyError
from .page_words import KIND_WORDS, OUTCOME_WORDS, PLACE_WORDS, STATE_WORDS, TOLD
from .reply import HTML, TEXT, Reply
from .rows import LedgerRow
from .troubles import ALL_KINDS, BEFORE, CALL_KINDS, NOTIFICATION_KINDS, SERVICES, TroubleError
from .visit import Visit
from .world import AMSTERDAM

_FOLDER: Final = Path(__file__).with_name("templates")
_STYLE: Final = "/sandbox.css"
_ORDERS: Final = "/order/"
_SHOWN: Final = 60
_GUARDS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it a browser posts our own forms with the origin "null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Form = Mapping[str, str]


class WrongForm(ValueError):
    """A form that cannot be followed; the text is for who filled it in."""


class ControlPage:
    """The page of one server."""

    def owns(self, path: str) -> bool:
        """The page itself, its style sheet, and where its forms lead."""
        return path in {"/", _STYLE} or path.startswith(_ORDERS)

    def answer(self, controls: Controls, visit: Visit) -> Reply:
        """In Dutch, or in English for who wants that first."""
        with override("en" if visit.language == "en" else "nl"):
            if visit.path == _STYLE:
                style = (_FOLDER / "eduix_sandbox" / "sandbox.css").read_bytes()
                return Reply(200, style, "text/css; charset=utf-8", dict(_GUARDS))
            if visit.form is None:
                if visit.path != "/":
                    return Reply(405, b"This address is for forms.\n", TEXT, {"Allow": "POST"})
                return self._show(controls, told=TOLD.get(visit.query.get("told", ""), ""))
            return self._follow(controls, visit.path.removeprefix(_ORDERS), visit.form)

    def _follow(self, controls: Controls, name: str, form: Form) -> Reply:
        """Follow an order and send the browser back, or show what is wrong with it."""
        order = _FOLLOW.get(name)
        if order is None:
            return Reply(404, b"There is no such order.\n", TEXT)
        try:
            order(controls, form)
        except WrongForm as problem:
            return self._show(controls, wrong=str(problem), form=form, status=400)
        except UnknownKeyError as problem:
            line = _("The sandbox does not know %(key)s.") % {"key": problem.key}
            return self._show(controls, wrong=line, form=form, status=400)
        except (ControlError, TroubleError) as problem:
            line = _("This cannot be ordered: %(reason)s.") % {"reason": problem}
            return self._show(controls, wrong=line, form=form, status=400)
        return Reply(303, b"", TEXT, {"Location": f"/?told={name}", **_GUARDS})

    def _show(
        self,
        controls: Controls,
        *,
        told: str = "",
        wrong: str = "",
        form: Form | None = None,
        status: int = 200,
    ) -> Reply:
        state = controls.state()
        ledger = controls.ledger()[-_SHOWN:]
        context = {
            "told": _(told) if told else "",
            "wrong": wrong,
            "form": {"times": "1", **(form or {})},
            "counts": [(state[name], _(label)) for name, label in STATE_WORDS.items()],
            "waiting": [_waiting(trouble) for trouble in state["troubles"]],
            "call_kinds": _choices(CALL_KINDS),
            "notification_kinds": _choices(NOTIFICATION_KINDS),
            "services": [(service, OPERATIONS[service]) for service in SERVICES],
            "notifications": OPERATIONS["notification"],
            "places": [(name, _(label)) for name, label in PLACE_WORDS.items()],
            "ledger": [_call(row) for row in reversed(ledger)],
            "deliveries": [_delivery(row) for row in reversed(controls.deliveries()[-_SHOWN:])],
            "shown": _SHOWN,
        }
        text = self._template.render(Context(context, use_l10n=False))  # a code is no amount
        return Reply(status, text.encode(), HTML, dict(_GUARDS))

    @cached_property
    def _template(self) -> Template:
        # An engine of its own: the product's has context processors that want a request.
        engine = Engine(dirs=[str(_FOLDER)], libraries={"i18n": "django.templatetags.i18n"})
        return engine.get_template("eduix_sandbox/page.html")


def _choices(kinds: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, _(KIND_WORDS[name])) for name in kinds]


def _clock(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(AMSTERDAM).strftime("%H:%M:%S")


def _waiting(trouble: Mapping[str, Any]) -> dict[str, object]:
    return {**trouble, "label": _(KIND_WORDS[trouble["kind"]])}


def _call(row: LedgerRow) -> dict[str, object]:
    label = KIND_WORDS.get(row.trouble, "")
    return {
        "row": row,
        "clock": _clock(row.at),
        "label": _(label) if label else "",
        "writes": HEADERS.get(row.service, {}).get(row.operation) == SESSION_HEADER,
    }


def _delivery(row: Any) -> dict[str, object]:
    label = KIND_WORDS.get(row.trouble, "")
    return {
        "row": row,
        "clock": _clock(row.at),
        "outcome": _(OUTCOME_WORDS[row.outcome]),
        "label": _(label) if label else "",
    }


def _order_trouble(controls: Controls, form: Form) -> None:
    """Only what means something to the kind is read; the other fields keep their defaults."""
    kind = ALL_KINDS.get(form.get("kind", ""))
    if kind is None:
        raise WrongForm(_("Choose what must go wrong."))
    order: dict[str, Any] = {"times": _number(form, "times", _("Number of times"), whole=True)}
    service, dot, operation = form.get("operation", "*").partition(".")
    order |= {"service": service} if service != "*" else {}
    order |= {"operation": operation} if dot else {}
    if form.get("moment") in {"before", "after"} and form["kind"] in CALL_KINDS:
        order |= {"after": form["moment"] == "after"} if kind.moment not in _FIXED else {}
    if "seconds" in kind.takes and form.get("seconds"):
        order["seconds"] = _number(form, "seconds", _("Seconds"))
    if "code" in kind.takes:
        order["code"] = _number(form, "code", _("Code"), whole=True)
        order |= {"sign": int(form["sign"])} if form.get("sign") in {"1", "-1"} else {}
    if "status" in kind.takes and form.get("status"):
        order["status"] = _number(form, "status", _("HTTP status"), whole=True)
    for name in ("place", "location"):
        order |= {name: form[name]} if name in kind.takes and form.get(name) else {}
    controls.trouble(form["kind"], **order)


_FIXED: Final = {BEFORE, "after"}


def _number(form: Form, name: str, label: str, *, whole: bool = False) -> float:
    text = form.get(name, "").strip().replace(",", ".")
    try:
        number = int(text[:20]) if whole else float(text[:20])
    except ValueError:
        number = math.nan
    if not number >= (1 if name == "times" else 0):
        raise WrongForm(_("%(field)s must be a number, not “%(text)s”.") % _naming(label, text))
    return number


def _naming(label: str, text: str) -> dict[str, str]:
    return {"field": label, "text": text[:40]}


def _key(form: Form) -> str:
    key = form.get("key", "").strip()
    if not key:
        raise WrongForm(_("Fill in a key."))
    return key


def _notify(controls: Controls, form: Form) -> None:
    controls.notify(form.get("operation", ""), _key(form))


def _reset(controls: Controls, form: Form) -> None:
    if form.get("sure") != "yes":
        raise WrongForm(_("Tick that you are sure: everything in the sandbox goes."))
    controls.reset()


_FOLLOW: Final[dict[str, Callable[[Controls, Form], object]]] = {
    "trouble": _order_trouble,
    "notification-trouble": _order_trouble,
    "clear": lambda controls, form: controls.clear_troubles(),
    "sessions": lambda controls, form: controls.expire_sessions(),
    "hurry": lambda controls, form: controls.hurry(),
    "link": lambda controls, form: controls.link(_key(form), form.get("user", "").strip()),
    "unlink": lambda controls, form: controls.unlink(_key(form)),
    "notify": _notify,
    "reset": _reset,
}
