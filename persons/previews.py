"""What a wizard is about to do with a person: what moves, what is lost, and what stands in the way.

Read from the rows of this moment; nothing is changed and nothing is asked of Edu-iX.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.explanations.explanation import Explanation
from backoffice.explanations.services import explain
from backoffice.outbox.models import Message, Pushable, PushState, key_of
from persons.change_models import PersonChange
from persons.columns import masked_eck_id
from persons.dependants import Dependant, dependants_of
from persons.effects import is_taken
from persons.models import Person, School, SchoolPerson

LONGEST: Final = 20  # of both keys of updatePersonID and mergePerson (codes 7322, 7342, 4742, 4762)
COMPARED: Final = (
    "distributor_person_id",
    "first_name",
    "preposition",
    "surname",
    "date_of_birth",
    "gender",
    "person_state",
    "email",
    "postal_code",
    "house_number",
    "country_code",
    "user_id",
    "eck_id",
)


@dataclass(frozen=True)
class Obstacle:
    """Why it cannot be done now, and where a colleague goes to mend that."""

    text: str
    url: str = ""
    url_text: str = ""
    explanation: Explanation | None = None


@dataclass(frozen=True)
class Call:
    """One call as Edu-iX will get it: the operation and its elements."""

    operation: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Compared:
    """One fact of two persons side by side."""

    label: str
    gone: str
    kept: str

    @property
    def differs(self) -> bool:
        """They do not say the same."""
        return self.gone != self.kept


@dataclass(frozen=True)
class AtSchool:
    """A person at a school with its credits."""

    place: SchoolPerson
    url: str
    credits: tuple[Dependant, ...]


@dataclass(frozen=True)
class Preview:
    """What a colleague reads before saying yes."""

    calls: tuple[Call, ...] = ()
    places: tuple[AtSchool, ...] = ()
    compared: tuple[Compared, ...] = ()
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_only_with_us(self) -> bool:
        """Edu-iX never had it: nothing is sent."""
        return not self.calls

    @property
    def credits(self) -> tuple[Dependant, ...]:
        """All credits of all places."""
        return tuple(credit for at in self.places for credit in at.credits)

    @property
    def facts(self) -> str:
        """Tells whether this is still what was shown: a digest of everything that decides."""
        decides = [
            [[call.operation, call.values] for call in self.calls],
            [[at.place.pk, at.place.school_id] for at in self.places],
            [[credit.key, credit.is_ended] for credit in self.credits],
            [[row.label, row.gone, row.kept] for row in self.compared],
            self.lost,
            [obstacle.text for obstacle in self.obstacles],
        ]
        return hashlib.sha256(json.dumps(decides, default=str).encode()).hexdigest()


def preview_rename(person: Person, to_key: str) -> Preview:
    """Another customer number for this person."""
    is_held = person.registered_at is not None
    obstacles = [*lasting_obstacles(person)]
    if not to_key:
        obstacles.append(Obstacle(_("Fill in the new customer number.")))
    elif to_key == person.distributor_person_id:
        obstacles.append(Obstacle(_("This is the number that the person has already.")))
    elif is_taken(to_key, but=person.pk):
        obstacles.append(_taken(to_key))
    if is_held:
        obstacles += _too_long(to_key, 7342)
    notes = []
    if not is_held and len(to_key) > LONGEST:
        notes.append(_("Longer than 20 characters: Edu-iX can never rename or merge it."))
    call = Call(
        "updatePersonID",
        (
            ("fromDistributorPersonID", person.distributor_person_id),
            ("toDistributorPersonID", to_key),
        ),
    )
    return Preview(
        calls=(call,) if is_held else (),
        places=places_of(person),
        notes=tuple(notes),
        obstacles=tuple(obstacles),
    )


def lasting_obstacles(person: Person) -> tuple[Obstacle, ...]:
    """What stands in the way of any other number, whatever it is."""
    is_held = person.registered_at is not None
    too_long = _too_long(person.distributor_person_id, 7322) if is_held else ()
    return (*_in_the_way(person), *too_long)


def preview_merge(gone: Person, kept: Person) -> Preview:
    """Fold `gone` into `kept`, which keeps its own data."""
    is_held = gone.registered_at is not None
    obstacles = [*_in_the_way(gone)]
    if gone.pk == kept.pk:
        obstacles.append(Obstacle(_("A person cannot be merged with itself. Choose another one.")))
    else:
        obstacles += _in_the_way(kept)
    if is_held and kept.registered_at is None:
        obstacles.append(
            Obstacle(
                _(
                    "Edu-iX knows %(gone)s, but not %(kept)s. "
                    "Push %(kept)s first, or keep %(gone)s instead."
                )
                % {
                    "gone": gone.distributor_person_id,
                    "kept": kept.distributor_person_id,
                },
                _page(kept),
                _("Open this person"),
            )
        )
    if is_held:
        obstacles += [
            *_too_long(gone.distributor_person_id, 4742),
            *_too_long(kept.distributor_person_id, 4762),
        ]
    compared = compared_persons(gone, kept)
    call = Call(
        "mergePerson",
        (
            ("fromDistributorPersonID", gone.distributor_person_id),
            ("toDistributorPersonID", kept.distributor_person_id),
        ),
    )
    return Preview(
        calls=(call,) if is_held else (),
        places=places_of(gone),
        compared=compared,
        lost=tuple(_lost(compared)),
        notes=tuple(_same_school(gone, kept)),
        obstacles=tuple(obstacles),
    )


def preview_delete(person: Person) -> Preview:
    """Take a person away, with its places at schools and returned credits."""
    places = places_of(person)
    return Preview(
        calls=_deletion("deletePerson", "distributorPersonID", person.distributor_person_id)
        if person.registered_at is not None
        else (),
        places=places,
        obstacles=(*_in_the_way(person), *_active_credits(places)),
    )


def preview_school_person_delete(school_person: SchoolPerson) -> Preview:
    """Take a person away from a school, with the returned credits there."""
    places = (_at_school(school_person),)
    key = school_person.distributor_school_person_id
    return Preview(
        calls=_deletion("deleteSchoolperson", "distributorSchoolPersonID", key)
        if school_person.registered_at is not None
        else (),
        places=places,
        obstacles=(
            *_in_the_way(school_person.person, school_person),
            *_active_credits(places),
        ),
    )


def preview_move(school_person: SchoolPerson, school: School, student_number: str) -> Preview:
    """Put a person at another school; the credits there stay with the person."""
    obstacles = [*_in_the_way(school_person.person, school_person)]
    if school.pk == school_person.school_id:
        obstacles.append(Obstacle(_("The person is at this school already.")))
    others = SchoolPerson.objects.filter(person=school_person.person_id, school=school)
    notes = [
        _("The person is at this school already, as %s. Perhaps delete one of the two instead.")
        % other.distributor_school_person_id
        for other in others.exclude(pk=school_person.pk).exclude(push_state=PushState.DELETED)
    ]
    call = Call(
        "updateSchoolperson",
        (
            ("distributorSchoolPersonID", school_person.distributor_school_person_id),
            ("organisationID", school.organisation_id),
            ("distributorPersonID", school_person.person.distributor_person_id),
            *((("schoolStudentNumber", student_number),) if student_number else ()),
            ("role", school_person.role),
        ),
    )
    return Preview(
        calls=(call,) if school_person.registered_at is not None else (),
        places=(_at_school(school_person),),
        notes=tuple(notes),
        obstacles=tuple(obstacles),
    )


def places_of(person: Person) -> tuple[AtSchool, ...]:
    """The schools of a person with the credits at each; two queries."""
    found = SchoolPerson.objects.filter(person=person).select_related("school", "person")
    places = list(found.exclude(push_state=PushState.DELETED))
    credits: dict[int, list[Dependant]] = defaultdict(list)
    for credit in dependants_of([place.pk for place in places]):
        credits[credit.school_person_id].append(credit)
    return tuple(AtSchool(place, _page(place), tuple(credits[place.pk])) for place in places)


def _at_school(place: SchoolPerson) -> AtSchool:
    return AtSchool(place, _page(place), tuple(dependants_of([place.pk])))


def compared_persons(gone: Person, kept: Person) -> tuple[Compared, ...]:
    """Both persons, fact by fact."""
    names = {field.name: field.verbose_name for field in Person._meta.concrete_fields}
    rows = []
    for name in COMPARED:
        label = capfirst(str(names[name]))
        rows.append(Compared(label, _shown(gone, name), _shown(kept, name)))
    return tuple(rows)


def _shown(person: Person, name: str) -> str:
    if name == "eck_id":
        return masked_eck_id(person.eck_id)
    if name == "date_of_birth":
        return date_format(person.date_of_birth, "j F Y") if person.date_of_birth else ""
    if name == "country_code":
        return str(person.country_code.name)
    display = getattr(person, f"get_{name}_display", None)
    return str(display() if display else getattr(person, name) or "")


def _lost(compared: Iterable[Compared]) -> Iterable[str]:
    """What only the person that ends says."""
    for row in compared:
        if row.differs and row.gone:
            yield f"{row.label}: {row.gone}"


def _same_school(gone: Person, kept: Person) -> Iterable[str]:
    """Two places at one school become visible side by side after a merge."""
    schools = SchoolPerson.objects.filter(person=kept).exclude(push_state=PushState.DELETED)
    twice = (
        SchoolPerson.objects.filter(person=gone, school__in=schools.values("school"))
        .exclude(push_state=PushState.DELETED)
        .select_related("school")
    )
    for place in twice:
        yield _("Both are at %s. Afterwards the person stands there twice.") % place.school.name


# --- what stands in the way -----------------------------------------------------------------------


def _in_the_way(person: Person, place: SchoolPerson | None = None) -> Iterable[Obstacle]:
    """What keeps any request about this person waiting."""
    name = f"{person.full_name} ({person.distributor_person_id})"
    row: Pushable = place or person
    if PushState.DELETED in (person.push_state, row.push_state):
        yield Obstacle(_("%s is deleted already.") % name)
    if row.registered_at is None and _is_under_way(row):
        yield Obstacle(
            _("%s is on its way to Edu-iX. Wait for the answer, then try again.") % name,
            _page(person),
            _("Open this person"),
        )
    whole_person = Q() if place is None else Q(school_person=None) | Q(school_person=place)
    for change in PersonChange.objects.open().about(person.pk).filter(whole_person)[:1]:
        yield Obstacle(
            _("Another request about %s is not finished yet. Finish or withdraw it first.") % name,
            reverse("admin:persons_personchange_change", args=[change.pk]),
            str(change),
        )


def _is_under_way(row: Pushable) -> bool:
    """Edu-iX may have it: it left, and its answer is not settled."""
    kind = "schoolperson" if isinstance(row, SchoolPerson) else "person"
    left = Q(status=Message.Status.SENDING) | Q(status=Message.Status.UNCERTAIN)
    messages = Message.objects.open().filter(left | Q(ask_first=True))
    return messages.filter(operation=f"{kind}.push", subject=key_of(kind, row.pk)).exists()


def _too_long(key: str, code: int) -> Iterable[Obstacle]:
    if len(key) > LONGEST:
        text = _("%(key)s has %(number)d characters; Edu-iX takes at most 20 here.")
        yield Obstacle(
            text % {"key": key, "number": len(key)},
            explanation=explain(code, service="profile"),
        )


def _taken(key: str) -> Obstacle:
    rows = Person.objects.filter(distributor_person_id=key).exclude(push_state=PushState.DELETED)
    holder = rows.get()
    return Obstacle(
        _("%(name)s has number %(key)s already. One and the same person? Then merge them.")
        % {"name": holder.full_name, "key": key},
        _page(holder),
        _("Open this person"),
    )


def _active_credits(places: Iterable[AtSchool]) -> Iterable[Obstacle]:
    """Credits that Edu-iX still holds for this person: they are given back first."""
    active = [credit for at in places for credit in at.credits if credit.blocks_deletion]
    if active:
        number = len(active)
        yield Obstacle(
            ngettext(
                "%d credit is still in force. Give it back first.",
                "%d credits are still in force. Give them back first.",
                number,
            )
            % number,
            active[0].end_url,
            _("Give back %s") % active[0].key,
        )


def _deletion(operation: str, element: str, key: str) -> tuple[Call, ...]:
    return (Call(operation, ((element, key),)),)


def _page(row: Person | SchoolPerson) -> str:
    return reverse(f"admin:persons_{row._meta.model_name}_change", args=[row.pk])
