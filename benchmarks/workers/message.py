"""What one notification costs in CPU, without server and database; microseconds, by step."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

import zeep  # noqa: E402  Django has to be set up before the product's modules load
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from lxml import etree  # noqa: E402

from backoffice.eduix.contract import wsdl_path  # noqa: E402
from benchmarks.envelopes import PASSWORD, USER, specification_changed  # noqa: E402
from benchmarks.workers.protocol import answer_questions  # noqa: E402
from notifications import faults  # noqa: E402
from notifications.blanking import blanked  # noqa: E402
from notifications.faults import Answer  # noqa: E402
from notifications.framing import Body, read_body  # noqa: E402
from notifications.login import current_logins  # noqa: E402
from notifications.reading import Delivery, Reader  # noqa: E402

GROUPS = 5
KEY = "C-00000001"
BODY = KEY.join(specification_changed()).encode()

_reader = Reader()
_parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)


def environ() -> dict[str, Any]:
    """A delivery as the server hands it over."""
    return {
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(BODY)),
        "wsgi.input": io.BytesIO(BODY),
    }


def handled() -> tuple[Body, Delivery, Answer]:
    """Framing, gate, login, schema, values and reply: all of the door that is about XML."""
    body = read_body(environ())
    delivery = _reader.read(body.utf8, current_logins())
    return body, delivery, faults.succeeded(delivery.namespace, delivery.content.kind)


def kept() -> bytes:
    """The same, and what is stored: the body without its password, and its digest."""
    body, delivery, _reply = handled()
    hashlib.sha256(body.raw).hexdigest()
    return body.with_text(blanked(body.utf8, delivery.password))


def login() -> str | None:
    """The check of a right name and password."""
    return current_logins().user_of(USER, PASSWORD)


def zeep_reader() -> Callable[[], Any]:
    """zeep's own reading of the request: parse and deserialise."""
    client = zeep.Client(str(wsdl_path("notification")))
    binding = next(iter(client.wsdl.bindings.values()))
    message = binding.get("specificationChanged").input
    return lambda: message.deserialize(etree.fromstring(BODY, _parser))


def spyne_call() -> Callable[[], Any]:
    """A call of spyne's WSGI application that stores nothing."""
    from benchmarks.apps.spyne_service import wsgi_application

    calls: list[object] = []
    application = wsgi_application(lambda *arguments: calls.append(arguments))

    def call() -> bytes:
        request = environ() | {
            "REQUEST_METHOD": "POST",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "wsgi.url_scheme": "http",
        }
        return b"".join(application(request, lambda *_: None))

    return call


def steps() -> dict[str, Callable[[], Any]]:
    """What is measured, by name."""
    found: dict[str, Callable[[], Any]] = {
        "parse": lambda: etree.fromstring(BODY, _parser),
        "handled": handled,
        "kept": kept,
        "login": login,
        "zeep": zeep_reader(),
    }
    if find_spec("spyne"):
        found["spyne"] = spyne_call()
    return found


def wrong() -> list[str]:
    """What the steps get wrong; empty when they do the work that they are measured at."""
    body, delivery, reply = handled()
    parsed = delivery.content.parsed
    right = {
        "values": parsed["distributor_credit_id"] == KEY and len(parsed["specification"]) == 2,
        "reply": reply.status == 200,
        "blanking": kept() == body.raw.replace(PASSWORD.encode(), b""),
        "login": login() == USER,
        "zeep": zeep_reader()().body.distributorCreditID == KEY,
    }
    return [name for name, is_right in right.items() if not is_right]


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """Microseconds of CPU for each step in each round, and one PBKDF2 for the scale of things."""
    found = steps()
    for step in found.values():
        per_call(step, question["calls"])
    rounds = [
        {name: per_call(step, question["calls"]) for name, step in found.items()}
        for _ in range(question["rounds"])
    ]
    hasher = PBKDF2PasswordHasher()
    slow = per_call(lambda: hasher.encode(PASSWORD, "saltsaltsalt"), 1)
    costs = {name: [one[name] for one in rounds] for name in found} | {"pbkdf2": [slow]}
    return {"costs": costs, "wrong": wrong()}


def per_call(step: Callable[[], Any], calls: int) -> float:
    """The fastest of a few groups of calls: what disturbs the others is not the step's cost."""
    groups = []
    for _ in range(GROUPS):
        begun = time.thread_time()
        for _ in range(calls):
            step()
        groups.append((time.thread_time() - begun) / calls * 1e6)
    return min(groups)


if __name__ == "__main__":
    answer_questions(answer)
