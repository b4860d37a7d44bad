"""The colleague of an experiment: makes rows and asks for pushes, in a process with the ORM.

Each line on standard input is an order, each line of output says what was done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final, cast

import django

django.setup()

from django.conf import settings  # noqa: E402  models load only after Django is set up
from django.db import transaction  # noqa: E402

from backoffice.eduix.gateway import Gateway  # noqa: E402
from backoffice.eduix_sandbox.server import SandboxServer  # noqa: E402
from backoffice.outbox.models import Message  # noqa: E402
from benchmarks.workers import product  # noqa: E402
from benchmarks.workers.protocol import answer_questions  # noqa: E402
from credits.models import SchoolCredit  # noqa: E402
from credits.senders import school_credit_record  # noqa: E402
from credits.services import queue_credit_push  # noqa: E402
from tests.chaos.outbound.workers import wrong_clock  # noqa: E402
from tests.credits.comparing.test_many import accepted, made_equal  # noqa: E402
from tests.factories import PersonCreditFactory, SchoolCreditFactory  # noqa: E402
from tests.outbox.conftest import gateway_for  # noqa: E402
from tests.outbox.test_matrix import GIVEN, World  # noqa: E402


@contextmanager
def office() -> Iterator[tuple[SandboxServer, Gateway]]:
    """The sandbox as the matrix of operations knows it, and a gateway that calls it directly."""
    partner = cast(
        SandboxServer,
        SimpleNamespace(
            profile_url=settings.EDUIX_PROFILE_URL,
            credit_url=settings.EDUIX_CREDIT_URL,
            username=settings.EDUIX_USERNAME,
            password=settings.EDUIX_PASSWORD,
            distributor_id=settings.EDUIX_DISTRIBUTOR_ID,
        ),
    )
    gateway = gateway_for(partner)
    yield partner, gateway
    gateway.close()


def cases(*, given: list[str]) -> list[dict[str, Any]]:
    """A message for each name of the matrix of operations, each with rows of its own."""
    made = []
    with office() as (partner, gateway):
        for name in given:
            operation, prepare = GIVEN[name]
            world = World(partner, gateway)
            prepare(world)
            message = Message.objects.latest("pk")
            made.append({"operation": operation, "number": world.number, "message": message.pk})
    return made


def persons(*, count: int, prefix: str) -> int:
    """New persons, each with a message."""
    return product.prepare(count, prefix)


def chains(*, count: int) -> int:
    """New credits, each with a person and a place at the school that go before it."""
    with office() as (partner, gateway), transaction.atomic():
        school = World(partner, gateway).school()
        for _ in range(count):
            queue_credit_push(credit=PersonCreditFactory(school_person__school=school))
    return Message.objects.count()


def equal(*, persons: int, pools: int) -> dict[str, list[dict[str, str]]]:
    """Persons with a place and a credit, and school credits: the same here and at Edu-iX."""
    with office() as (partner, gateway):
        school = World(partner, gateway).school()
        credits = made_equal(school, gateway, persons)
        shared = [SchoolCreditFactory(school=school) for _ in range(pools)]
        for pool in shared:
            gateway.create_school_credit(school_credit_record(pool))
        accepted(SchoolCredit)
    return {
        "persons": [
            {
                "person": credit.school_person.person.distributor_person_id,
                "schoolperson": credit.school_person.distributor_school_person_id,
                "person_credit": credit.distributor_person_credit_id,
            }
            for credit in credits
        ],
        "pools": [{"school_credit": pool.distributor_school_credit_id} for pool in shared],
    }


ORDERS: Final[dict[str, Callable[..., Any]]] = {
    "cases": cases,
    "persons": persons,
    "chains": chains,
    "equal": equal,
}


def answer(order: Mapping[str, Any]) -> object:
    """Carry out one order."""
    values = dict(order)
    return {"said": ORDERS[values.pop("do")](**values)}


if __name__ == "__main__":
    if wrong_clock.FILE in os.environ:
        wrong_clock.follow()
    answer_questions(answer)
