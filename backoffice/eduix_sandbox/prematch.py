"""Prematch: a school's portal links the user it knows to the person that the distributor sent."""

from __future__ import annotations

from dataclasses import replace

from .rows import Event, Person, SchoolPerson
from .specify import expect_specifications_of
from .world import World


def expect_link(world: World, schoolperson: SchoolPerson) -> None:
    """Let the portal link the person after a while, if it ever will.

    An ECK iD makes the link unnecessary. A portal that does not prematch and a student number
    with the agreed ending are the two ways to show a person that nobody links.
    """
    person = world.store.persons.get(schoolperson.person)
    if person is None or not _needs_link(person) or not _portal_links(world, schoolperson):
        return
    world.later("link", str(person.profile_id), world.options.prematch_seconds)


def link_when_due(world: World, event: Event) -> None:
    """The portal links the person, when that still makes sense."""
    person = world.store.persons.first("profile", event.subject)
    if person is None or not _needs_link(person):
        return
    schoolpersons = world.store.schoolpersons.find("person", person.key)
    if any(_portal_links(world, schoolperson) for schoolperson in schoolpersons):
        link(world, person)


def link(world: World, person: Person, user_id: str = "") -> Person:
    """Give the person a userID (its own choice or a made one), tell it, and go on with credits."""
    linked = replace(person, user_id=user_id or f"u-{world.token(str(person.profile_id))}")
    world.store.persons.put(linked)
    world.tell_about_person(linked)
    expect_specifications_of(world, linked)
    return linked


def unlink(world: World, person: Person) -> Person:
    """Take the userID away and tell it; what was specified stays so."""
    unlinked = replace(person, user_id="")
    world.store.persons.put(unlinked)
    world.tell_about_person(unlinked)
    return unlinked


def _needs_link(person: Person) -> bool:
    return not (person.user_id or person.eck_id)


def _portal_links(world: World, schoolperson: SchoolPerson) -> bool:
    school = world.schools.get(schoolperson.organisation)
    ending = world.options.never_linked
    number = schoolperson.fields.get("schoolStudentNumber", "")
    marked = bool(ending) and number.endswith(ending)
    return school is not None and school.prematches and not marked
