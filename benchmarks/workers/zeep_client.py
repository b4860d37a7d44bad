"""The peer: one stock zeep client, in a loop or shared by threads; it keeps nothing."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import zeep

from backoffice.eduix.contract import endpoint_path, wsdl_path
from benchmarks.workers.protocol import Sent, Stopwatch, answer_questions

_services: dict[int, tuple[Any, dict[str, Any]]] = {}


def answer(question: Mapping[str, Any]) -> Sent:
    """Send `count` persons from `threads` threads."""
    service, headers = service_at(question["port"])
    numbers = itertools.count()
    milliseconds: list[float] = []

    def work() -> None:
        while (number := next(numbers)) < question["count"]:
            begun = time.perf_counter()
            service.createPerson(
                person=person(f"{question['prefix']}{number:08d}"), _soapheaders=headers
            )
            milliseconds.append((time.perf_counter() - begun) * 1000)

    threads = [threading.Thread(target=work) for _ in range(question["threads"])]
    watch = Stopwatch()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.stop()
    return watch.sent(len(milliseconds), milliseconds)


def service_at(port: int) -> tuple[Any, dict[str, Any]]:
    """A client and its session, made at first use."""
    if port not in _services:
        client = zeep.Client(str(wsdl_path("profile")))
        service = client.create_service(
            next(iter(client.wsdl.bindings)),
            f"http://127.0.0.1:{port}{endpoint_path('profile')}",
        )
        session = service.login(
            _soapheaders={"loginHeader": {"username": "bench", "password": "bench"}}
        )
        _services[port] = (service, {"sessionIDHeader": {"sessionID": str(session)}})
    return _services[port]


def person(key: str) -> dict[str, Any]:
    """The row that the product sends, as zeep wants it."""
    return {
        "distributorPerson": {"distributorID": 1001, "distributorPersonID": key},
        "firstName": "Sanne",
        "preposition": "van den",
        "dateOfBirth": date(2012, 3, 4),
        "personState": "A",
        "email": "sanne@example.nl",
        "postalCode": "3011 AB",
        "surname": "Berg",
        "houseNumber": 12,
        "gender": "F",
        "countryCode": "NL",
    }


if __name__ == "__main__":
    answer_questions(answer)
