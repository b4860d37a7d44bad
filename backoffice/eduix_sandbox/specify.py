"""What Edu-iX does with credits by itself: specify them at the publisher, correct a return."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from .publishers import REFUSES
from .rows import Credit, Entry, Event, Person
from .world import World


def expect_specification(world: World, kind: str, credit: Credit) -> None:
    """Let the publisher answer after its time, when the credit is ready to be specified.

    A person credit waits until its person is linked or has an ECK iD; a school credit never does.
    """
    if _open_amount(credit) <= 0 or not _is_ready(world, kind, credit):
        return
    seconds = world.publishers.seconds(credit.fields["ean"])
    if seconds is not None:
        world.later("specify", f"{kind}:{credit.key}", seconds)


def expect_specifications_of(world: World, person: Person) -> None:
    """The person can be specified from now on: its waiting credits go to their publishers."""
    for schoolperson in world.store.schoolpersons.find("person", person.key):
        for credit in world.store.person_credits.find("schoolperson", schoolperson.key):
            expect_specification(world, "personCredit", credit)


def expect_correction(
    world: World, kind: str, credit: Credit, *, amount: int, reference: str
) -> None:
    """After a return: the publisher hears of what it had accepted, and Edu-iX tells us then.

    Without anything specified there is nothing to correct, and the return is told at once.
    """
    accepted = min(amount, credit.specified - _corrected(credit))
    seconds = world.publishers.seconds(credit.fields["ean"])
    if accepted <= 0 or seconds is None:
        world.tell_about_credit(kind, credit)
    else:
        subject = f"{kind}:{credit.key}"
        world.later("correct", subject, seconds, amount=accepted, part=reference)


def specify(world: World, event: Event) -> None:
    """The publisher answers: the credit becomes Specified, or Fault with the publisher's code."""
    kind, _, key = event.subject.partition(":")
    credit = world.store.credits(kind).get(key)
    if credit is None or _open_amount(credit) <= 0 or not _is_ready(world, kind, credit):
        return
    behaviour = world.publishers.behaviour(credit.fields["ean"])
    accepted = tuple(entry for entry in credit.specification if entry.error_code is None)
    entry = Entry(
        amount=_open_amount(credit),
        response_id=f"r-{world.token(event.subject, str(len(accepted)))}",
        error_code=behaviour.error_code if behaviour.does == REFUSES else None,
        at=_now(),
    )
    answered = replace(
        credit, specification=(*accepted, entry), specified_on=world.today().isoformat()
    )
    world.store.credits(kind).put(answered)
    world.tell_about_credit(kind, answered)


def correct(world: World, event: Event) -> None:
    """The publisher confirms that it took back what was returned."""
    kind, _, key = event.subject.partition(":")
    credit = world.store.credits(kind).get(key)
    if credit is None:
        return
    entry = Entry(event.amount, f"c-{world.token(event.key)}", at=_now())
    corrected = replace(credit, correction=(*credit.correction, entry))
    world.store.credits(kind).put(corrected)
    world.tell_about_credit(kind, corrected)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _open_amount(credit: Credit) -> int:
    return credit.amount - credit.returned - (credit.specified - _corrected(credit))


def _corrected(credit: Credit) -> int:
    return sum(entry.amount for entry in credit.correction)


def _is_ready(world: World, kind: str, credit: Credit) -> bool:
    if kind == "schoolCredit":
        return True
    schoolperson = world.store.schoolpersons.get(credit.fields["distributorSchoolPersonID"])
    person = world.store.persons.get(schoolperson.person) if schoolperson else None
    return person is not None and bool(person.user_id or person.eck_id)
