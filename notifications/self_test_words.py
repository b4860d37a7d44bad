"""How far a test notification came, step by step, in the words of the page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.explanations.services import explain
from notifications.self_test import Walk

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class Step:
    """One step; the tone is that of its dot, `todo` stands where it stopped."""

    tone: str
    name: str
    text: str = ""
    todo: str = ""


# What is the matter, and what to do; for what never came as far as our own door.
_PROBLEMS: Final[dict[str, tuple[_StrOrPromise, _StrOrPromise]]] = {
    "name": (
        gettext_lazy("The name %(detail)s could not be found from this server."),
        gettext_lazy(
            "Look whether the name in BACKOFFICE_PUBLIC_URL is right. Does it work for Edu-iX? "
            "Then only this server does not know it, and your administrator can add it."
        ),
    ),
    "unreachable": (
        gettext_lazy("Nobody answers at this address (%(detail)s)."),
        gettext_lazy(
            "Ask your administrator whether the web server and its proxy run, and whether "
            "BACKOFFICE_PUBLIC_URL is right. Some networks do not let a server reach its own "
            "outside address: then only Edu-iX can tell whether it works."
        ),
    ),
    "timeout": (
        gettext_lazy("No answer within two and a half seconds."),
        gettext_lazy(
            "Ask your administrator whether a firewall stops this server on the way to its own "
            "outside address, and whether the web server is not too busy."
        ),
    ),
    "certificate": (
        gettext_lazy("The certificate of this address is not trusted: %(detail)s."),
        gettext_lazy(
            "Ask your administrator to look at the certificate: Edu-iX may refuse it as well."
        ),
    ),
    "tls": (
        gettext_lazy("No safe connection could be made (%(detail)s)."),
        gettext_lazy(
            "Ask your administrator whether https is set up at the address in "
            "BACKOFFICE_PUBLIC_URL."
        ),
    ),
    "redirect": (
        gettext_lazy("The address sends its visitors on to another one (%(detail)s)."),
        gettext_lazy(
            "Edu-iX does not follow that. Ask your administrator to let the proxy pass this "
            "address on as it is, and to look at BACKOFFICE_PUBLIC_URL."
        ),
    ),
    "gateway": (
        gettext_lazy("The proxy answers, but cannot reach our web server (%(detail)s)."),
        gettext_lazy("Ask your administrator whether the web server runs."),
    ),
    "not_ours": (
        gettext_lazy("Something answers, but it is not this program."),
        gettext_lazy(
            "Look whether BACKOFFICE_PUBLIC_URL is right and whether the proxy passes this address "
            "on to us."
        ),
    ),
    "not_stored": (
        gettext_lazy("It was accepted, and does not stand in our database."),
        gettext_lazy(
            "At this address another copy of this program answers. Ask your administrator whether "
            "BACKOFFICE_PUBLIC_URL belongs to this one."
        ),
    ),
    "not_applied": (
        gettext_lazy("It is stored and waits; nobody has applied it within five seconds."),
        gettext_lazy(
            "Look at the workbench whether the worker runs. Notifications of Edu-iX wait as well "
            "and are not lost."
        ),
    ),
}


def steps_of(walk: Walk) -> list[Step]:
    """Four steps; after the one where it stopped the others stay empty."""
    reached = _("%(url)s answered with %(status)d") % {"url": walk.url, "status": walk.status}
    plan = [
        (walk.is_reached, _("Reached"), reached),
        (walk.is_accepted, _("Accepted"), _("password and content are right")),
        (walk.is_stored, _("Stored"), _("as %s") % walk.subject),
        (walk.is_applied, _("Applied"), _("as a test: nothing has changed")),
    ]
    steps = []
    is_stopped = False
    for is_done, name, text in plan:
        if is_done:
            steps.append(Step("ok", name, text))
        elif is_stopped:
            steps.append(Step("idle", name))
        else:
            is_stopped = True
            steps.append(Step("bad", name, *_problem(walk)))
    return steps


def _problem(walk: Walk) -> tuple[str, str]:
    if walk.problem == "refused":
        return _refused(walk)
    text, todo = _PROBLEMS[walk.problem]
    return str(text) % {"detail": walk.detail}, str(todo)


def _refused(walk: Walk) -> tuple[str, str]:
    """In the words of the table of answers, with the address that the door saw us come from."""
    answer = _("answer %(status)d") % {"status": walk.status}
    if walk.code:
        answer = _("answer %(status)d, code %(code)d") % {"status": walk.status, "code": walk.code}
    if walk.reason == "address":
        text = _(
            "This server itself comes from %(source)s, and that is not on the list (%(answer)s)."
        )
        return text % {"source": walk.source or _("an unknown address"), "answer": answer}, _(
            "Edu-iX is not hindered by this. To let the test through, your administrator adds this "
            "address to NOTIFICATION_ALLOWED_IPS."
        )
    if not walk.reason:
        return _("Refused (%s), and not by this program.") % answer, _(
            "Ask your administrator what stands before this program: a proxy or a firewall."
        )
    told = explain(f"own:door_{walk.reason}")
    return f"{told.title} ({answer}). {told.meaning}", " ".join(told.steps)


def as_plain(walk: Walk) -> dict[str, Any]:
    """For the session, until the page shows it."""
    return {
        "steps": [asdict(step) for step in steps_of(walk)],
        "is_well": walk.is_applied,
        "seconds": round(walk.seconds, 1),
    }
