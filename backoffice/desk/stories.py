"""The demo's pupils whose access is broken, each for a known cause (`examples/scenarios.json`).

They come about on the real road: read in, sent to the sandbox, told by its notifications. What
needs days is written into machine columns afterwards, by `age` alone.
"""

from __future__ import annotations

import http.client
import io
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from backoffice.explanations.models import PublisherCode
from backoffice.outbox.models import Message, PushState, key_of
from credits.models import PersonCredit, SchoolCredit
from credits.returns import CannotReturn, new_reference, queue_return
from credits.services import AnyCredit, queue_credit_push
from persons.models import Person, SchoolPerson
from persons.services import queue_person_push, queue_school_person_push

SECONDS: Final = 90
FILES: Final = ("persons", "person-credits", "school-credits")
UNSENT: Final = "not sent"
KNOWN_CODE: Final = 117


class NotSetUp(Exception):
    """One line: which story did not come about."""


@dataclass(frozen=True)
class Stories:
    """Sets the stories up beside a running sandbox, drainer and notification door."""

    folder: Path
    sandbox_port: int
    go_on: Callable[[], bool] = lambda: True

    def set_up(self) -> int:
        """All of them, once; returns how many. Raises `NotSetUp`."""
        stories = json.loads((self.folder / "scenarios.json").read_text(encoding="utf-8"))
        people = {story["name"]: story["person"] for story in stories}
        self.read_in()
        explain_the_known_code()
        self.send(set(people.values()) - {people[UNSENT]})
        self.happen(people)
        age(people)
        return len(stories)

    def read_in(self) -> None:
        """The three files, as `manage.py import` takes them in."""
        for name in FILES:
            path = self.folder / "scenarios" / f"{name}.csv"
            try:
                call_command("import", name, str(path), stdout=io.StringIO(), stderr=io.StringIO())
            except SystemExit:
                raise NotSetUp(f"rows of {path} were refused") from None

    def send(self, keys: Iterable[str]) -> None:
        """Everything of these persons, and wait for the answers, the links and the publishers."""
        persons = Person.objects.filter(distributor_person_id__startswith="D1")
        unsent = persons.exclude(distributor_person_id__in=[*keys, *(f"{key}B" for key in keys)])
        sent = persons.exclude(pk__in=unsent.values("pk")).exclude(registered_at__isnull=False)
        for person in sent:
            queue_person_push(person=person)
        pks = [person.pk for person in sent]
        for place in SchoolPerson.objects.filter(person__in=pks, registered_at=None):
            queue_school_person_push(school_person=place)
        for credit in PersonCredit.objects.filter(
            school_person__person__in=pks, registered_at=None
        ):
            queue_credit_push(credit=credit)
        for licences in SchoolCredit.objects.filter(
            distributor_school_credit_id__startswith="D1", registered_at=None
        ):
            queue_credit_push(credit=licences)
        self.wait("sending", is_settled)

    def happen(self, people: dict[str, str]) -> None:
        """What comes after sending: links, answers of publishers, returns, a link undone."""
        undone = people["prematch undone yesterday"]
        self.wait("the links of the schools", lambda: is_linked(undone))
        self.wait("the publishers", lambda: not missing_answers(people).exists())
        for credit in (
            credit_of(people["credit returned"]),
            SchoolCredit.objects.get(
                distributor_school_credit_id=f"{people['school credit with nothing left']}-S"
            ),
        ):
            give_back(credit)
        self.wait("the returns", is_settled)
        self.control("unlink", {"distributorPersonID": undone})
        self.wait("the link that is undone", lambda: not is_linked(undone))

    def control(self, name: str, order: dict[str, Any]) -> None:
        """Tell the sandbox to do something now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sandbox_port, timeout=10)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/control/{name}", json.dumps(order), headers)
            if connection.getresponse().status != 200:
                raise NotSetUp(f"the sandbox refuses {name}")
        finally:
            connection.close()

    def wait(self, what: str, is_so: Callable[[], bool]) -> None:
        """Until it is so. Raises `NotSetUp` when it takes too long, or nobody waits any more."""
        deadline = time.monotonic() + SECONDS
        while not is_so():
            if time.monotonic() > deadline or not self.go_on():
                raise NotSetUp(f"{what}: not within {SECONDS} s")
            time.sleep(0.1)


def explain_the_known_code() -> None:
    """One publisher's code has been explained by a colleague; the other has not."""
    PublisherCode.objects.get_or_create(
        code=KNOWN_CODE,
        publisher="",
        ean_prefix="9789034",
        defaults={
            "title_nl": "De uitgever heeft dit leermiddel nog niet klaarstaan",
            "cause_nl": "De nieuwe druk is bij de uitgever nog niet vrijgegeven.",
            "remedy_nl": "Vraag de uitgever wanneer de nieuwe druk er is.\n"
            "Stuur de credit daarna opnieuw.",
            "title_en": "The publisher does not have this product ready yet",
            "cause_en": "The new edition was not released at the publisher yet.",
            "remedy_en": "Ask the publisher when the new edition is there.\n"
            "Send the credit again after that.",
        },
    )


def is_settled() -> bool:
    """Nothing of these persons is still to be sent."""
    persons = Person.objects.filter(distributor_person_id__startswith="D1")
    chains = [key_of("person", pk) for pk in persons.values_list("pk", flat=True)]
    schools = SchoolCredit.objects.filter(distributor_school_credit_id__startswith="D1")
    chains += [key_of("school_credit", pk) for pk in schools.values_list("pk", flat=True)]
    return not Message.objects.active().filter(chain__in=chains).exists()


def is_linked(key: str) -> bool:
    """The portal has linked this person, as far as we were told."""
    return Person.objects.exclude(user_id="").filter(distributor_person_id=key).exists()


def missing_answers(people: dict[str, str]) -> Any:
    """The credits of linked persons of which no publisher has told anything yet."""
    silent = [people["publisher silent"], people["prematch never done"]]
    return PersonCredit.objects.filter(
        school_person__person__distributor_person_id__startswith="D1",
        push_state=PushState.IN_SYNC,
        specification_state="",
    ).exclude(school_person__person__distributor_person_id__in=silent)


def credit_of(key: str) -> PersonCredit:
    """The first credit of a person."""
    return PersonCredit.objects.filter(school_person__person__distributor_person_id=key).order_by(
        "pk"
    )[0]


def give_back(credit: AnyCredit) -> None:
    """The whole of it; what was given back already stays so."""
    amount = credit.remaining if isinstance(credit, SchoolCredit) else 1
    reason = "Retour op verzoek van de school"
    try:
        queue_return(credit=credit, reference=new_reference(), reason=reason, amount=amount)
    except CannotReturn:
        return


def age(people: dict[str, str]) -> None:
    """Let time pass for the stories that need days: only machine columns with a moment are written.

    Also the message that hangs: its next try is set a day away, as after many failures.
    """
    now = timezone.now()
    persons = Person.objects
    undone = persons.filter(distributor_person_id=people["prematch undone yesterday"])
    undone.update(user_id_changed_at=now - timedelta(days=1))
    silent = credit_of(people["publisher silent"])
    long_ago = now - timedelta(days=6)
    PersonCredit.objects.filter(pk=silent.pk).update(push_changed_at=long_ago)
    persons.filter(pk=silent.school_person.person_id).update(user_id_changed_at=long_ago)
    stuck = credit_of(people["our queue stuck"])
    with transaction.atomic():  # the sender must not see it before it is set a day away
        message = queue_credit_push(credit=stuck)
        Message.objects.filter(pk=message.pk).update(
            due_at=now + timedelta(days=1), asked_at=now - timedelta(minutes=40)
        )
