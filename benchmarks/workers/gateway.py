"""What one call costs the sender in CPU, and one check of a person; microseconds, by step."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import date
from itertools import count, islice
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.core.exceptions import ValidationError  # noqa: E402  Django has to be set up before the product's modules load
from lxml import etree  # noqa: E402

from backoffice.eduix.client import recording  # noqa: E402
from backoffice.eduix.contract import endpoint_path, types_namespace, xsd_path  # noqa: E402
from backoffice.eduix.gateway import Gateway  # noqa: E402
from backoffice.eduix.records import PersonRecord  # noqa: E402
from backoffice.eduix.rules import check  # noqa: E402
from benchmarks.workers import zeep_client  # noqa: E402
from benchmarks.workers.message import per_call  # noqa: E402
from benchmarks.workers.protocol import answer_questions  # noqa: E402
from persons.models import Person  # noqa: E402

TODAY = date(2026, 8, 1)
WRONG_EACH = 10  # one in so many persons has a surname that is too long
_SPACE = f"{{{types_namespace('profile')}}}"
_keys = (f"K{number:08d}" for number in count())


def gateway_at(port: int) -> Gateway:
    """Our gateway as the drainer uses it, but for the shared session."""
    address = f"http://127.0.0.1:{port}"
    return Gateway(
        SimpleNamespace(
            EDUIX_PROFILE_URL=address + endpoint_path("profile"),
            EDUIX_CREDIT_URL=address + endpoint_path("credit"),
            EDUIX_PROFILE_WSDL="",
            EDUIX_CREDIT_WSDL="",
            EDUIX_USERNAME="bench",
            EDUIX_PASSWORD="bench",  # noqa: S106  of the canned partner
            EDUIX_DISTRIBUTOR_ID=1001,
            EDUIX_SESSION_MINUTES=20,
        )
    )


def record(key: str) -> PersonRecord:
    """The person that the stock client sends too."""
    return PersonRecord(
        distributor_person_id=key,
        first_name="Sanne",
        preposition="van den",
        date_of_birth=date(2012, 3, 4),
        email="sanne@example.nl",
        postal_code="3011 AB",
        surname="Berg",
        house_number=12,
        gender="F",
        country_code="NL",
    )


def calls(port: int, gateway: Gateway) -> dict[str, Callable[[], Any]]:
    """A createPerson, by who sends it."""
    service, headers = zeep_client.service_at(port)

    def recorded() -> None:
        with recording():
            gateway.create_person(record(next(_keys)))

    return {
        "recorded": recorded,
        "gateway": lambda: gateway.create_person(record(next(_keys))),
        "zeep": lambda: service.createPerson(
            person=zeep_client.person(next(_keys)), _soapheaders=headers
        ),
    }


def sending(question: Mapping[str, Any]) -> dict[str, Any]:
    """Microseconds of CPU for each sender in each round, and how many persons were sent."""
    with closing(gateway_at(question["port"])) as gateway:
        steps = calls(question["port"], gateway)
        rounds = [
            {name: per_call(step, question["calls"]) for name, step in steps.items()}
            for _ in range(question["rounds"] + 1)
        ][1:]  # the first one warms up
    sent = int(next(_keys)[1:])
    return {"costs": {name: [one[name] for one in rounds] for name in steps}, "sent": sent}


def people() -> Iterator[dict[str, Any]]:
    """Persons in columns, all different; one in ten is wrong."""
    for number in count():
        yield {
            "distributor_person_id": f"K{number:08d}",
            "first_name": f"Sanne{number % 997}",
            "preposition": "van den",
            "date_of_birth": date(2012, 3, 1 + number % 28),
            "email": f"p{number}@example.nl",
            "postal_code": f"{1000 + number % 9000} AB",
            "surname": "x" * 51 if number % WRONG_EACH == 0 else f"Berg{number % 991}",
            "house_number": 1 + number % 300,
            "gender": "MFU"[number % 3],
            "country_code": "NL",
            "person_state": "A",
        }


ORDER = (
    ("firstName", "first_name"),
    ("preposition", "preposition"),
    ("dateOfBirth", "date_of_birth"),
    ("personState", "person_state"),
    ("email", "email"),
    ("postalCode", "postal_code"),
    ("surname", "surname"),
    ("houseNumber", "house_number"),
    ("gender", "gender"),
    ("countryCode", "country_code"),
)


def by_rules(person: dict[str, Any]) -> bool:
    """Our rules: whether they find something wrong."""
    return any(finding.code is not None for finding in check("person", person, today=TODAY))


def by_schema() -> Callable[[dict[str, Any]], bool]:
    """The schema: the same person as an element, written and validated."""
    schema = etree.XMLSchema(etree.parse(str(xsd_path("profile"))))

    def wrong(person: dict[str, Any]) -> bool:
        root = etree.Element(f"{_SPACE}createPersonRequest")
        element = etree.SubElement(root, f"{_SPACE}person")
        key = etree.SubElement(element, f"{_SPACE}distributorPerson")
        etree.SubElement(key, f"{_SPACE}distributorID").text = "1001"
        etree.SubElement(key, f"{_SPACE}distributorPersonID").text = person["distributor_person_id"]
        for name, column in ORDER:
            etree.SubElement(element, _SPACE + name).text = str(person[column])
        return not schema.validate(root)

    return wrong


def by_model(person: dict[str, Any]) -> bool:
    """Django's own check of the fields of our model, without a look into the database."""
    try:
        Person(**person).clean_fields()
    except ValidationError:
        return True
    return False


def checking(question: Mapping[str, Any]) -> dict[str, Any]:
    """Microseconds of CPU a person for one way to check, and how many it found wrong."""
    way = {"rules": by_rules, "schema": by_schema(), "model": by_model}[question["way"]]
    persons = list(islice(people(), question["persons"]))
    begun = time.thread_time()
    wrong = sum(map(way, persons))
    return {"us": (time.thread_time() - begun) / len(persons) * 1e6, "wrong": wrong}


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """Either of the two."""
    return sending(question) if question["do"] == "send" else checking(question)


if __name__ == "__main__":
    answer_questions(answer)
