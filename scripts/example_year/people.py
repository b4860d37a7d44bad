"""The pupils and teachers of the example year, before they become rows."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from example_year.source import (
    DATA,
    SCHOOLS,
    Fault,
    draw,
    faults_of,
    pick,
    plain_ascii,
    spread,
)

# Places in a class, by what is told there. People with a story sit on 1, 4, 7 ...
FAMILY_SLOTS = (5, 10, 15, 20)
BELGIAN_SLOTS = (8, 17, 26)
GUEST_SLOTS = (  # school, class, place, and the second school
    (0, "2vwo", 12, 1),
    (0, "2vwo", 13, 1),
    (0, "3havo", 12, 1),
    (1, "2havo", 12, 0),
    (1, "2havo", 13, 0),
)
LETTERS = "ABCDEGHJKLMNPRTVWXZ"  # a Dutch postal code avoids F, I, O, Q, U and Y


@dataclass(eq=False)
class Person:
    school: int
    class_name: str
    slot: int
    first_name: str
    preposition: str
    surname: str
    gender: str
    born: str
    postcode: str
    house_number: str
    eck_id: str
    role: str
    email: str = ""
    country: str = "NL"
    state: str = "A"
    student_number: str = ""
    second_school: int | None = None
    second_student_number: str = ""
    extra: str = ""
    has_story: bool = False
    fault: Fault | None = None
    key: str = ""

    @property
    def is_plain(self) -> bool:
        """Part of no story: a fault may be laid on this person's row."""
        is_special = self.role == "Student" and self.slot in (*FAMILY_SLOTS, *BELGIAN_SLOTS)
        return not (self.has_story or self.fault or is_special or self.second_school is not None)


def make_people() -> list[Person]:
    """By school: the pupils by class, then the teachers; refused ones sit among them."""
    taken = {" ".join(story["name"][:3]) for story in DATA["people"]}
    people: list[Person] = []
    for number, school in enumerate(SCHOOLS):
        people += [
            new_person(taken, number, class_name, slot)
            for class_name, size in school["classes"].items()
            for slot in range(size)
        ]
        people += [new_person(taken, number, "", slot) for slot in range(school["teachers"])]
    tell_stories(people)
    make_families(people)
    vary_fields(people)
    for number, class_name, slot, second_school in GUEST_SLOTS:
        seat(people, class_name, slot, number).second_school = second_school
    for person in refused_people(people, taken):
        take_in(people, person)
    hand_out_numbers(people)
    return people


def new_person(taken: set[str], school: int, class_name: str, slot: int) -> Person:
    """A pupil of this class, or a teacher when the class is empty."""
    label = (school, class_name, slot)
    first_name, preposition, surname, gender = new_name(taken, *label)
    letters = pick(LETTERS, "letter 1", *label) + pick(LETTERS, "letter 2", *label)
    return Person(
        school=school,
        class_name=class_name,
        slot=slot,
        first_name=first_name,
        preposition=preposition,
        surname=surname,
        gender=gender,
        born=birth_date(class_name, *label).strftime("%d-%m-%Y"),
        postcode=f"{pick(SCHOOLS[school]['postcodes'], 'postcode', *label)} {letters}",
        house_number=str(1 + draw("house", *label) % 180),
        eck_id=eck_id(*label) if draw("has eck", *label) % 8 == 0 else "",
        role="Student" if class_name else "Teacher",
    )


def new_name(taken: set[str], *label: object) -> tuple[str, str, str, str]:
    """First name, preposition, surname and gender, as nobody has them yet."""
    gender = pick(("F", "M"), "gender", *label)
    for attempt in range(100):
        share = draw("table", *label, attempt) % 100
        for table in DATA["names"]:
            share -= table["share"]
            if share < 0:
                break
        first_names = table["girls" if gender == "F" else "boys"].split()
        first_name = pick(first_names, "first name", *label, attempt)
        preposition, surname = pick(surnames(table["surnames"]), "surname", *label, attempt)
        name = f"{first_name} {preposition} {surname}"
        if name not in taken:
            taken.add(name)
            return first_name, preposition, surname, gender
    raise ValueError("year.toml has too few names")


def surnames(table: str) -> list[tuple[str, str]]:
    """Preposition and surname of each name in the table: the word that holds the bar ends one."""
    found: list[tuple[str, str]] = []
    words: list[str] = []
    for word in table.split():
        words.append(word)
        if "|" in word:
            preposition, _, surname = " ".join(words).partition("|")
            found.append((preposition, surname))
            words = []
    return found


def birth_date(class_name: str, *label: object) -> date:
    """A pupil of class n is 11 + n on the first of October; a teacher is 26 to 62."""
    days = draw("born", *label)
    if not class_name:
        return date(1964, 9, 1) + timedelta(days=days % (36 * 365))
    return date(2014 - int(class_name[0]), 10, 1) + timedelta(days=days % 365)


def eck_id(*label: object) -> str:
    """128 characters, as an ECK iD has them."""
    return hashlib.sha512(str(draw("eck", *label)).encode()).hexdigest()


def seat(people: Iterable[Person], class_name: str, slot: int, school: int | None) -> Person:
    return next(
        person
        for person in people
        if (person.class_name, person.slot) == (class_name, slot)
        and school in (None, person.school)
    )


def tell_stories(people: list[Person]) -> None:
    names = [school["name"] for school in SCHOOLS]
    seated: Counter[tuple[str, int | None]] = Counter()
    for story in DATA["people"]:
        school = names.index(story["school"]) if "school" in story else None
        person = seat(people, story["class"], 1 + 3 * seated[story["class"], school], school)
        seated[story["class"], school] += 1
        person.has_story = True
        person.first_name, person.preposition, person.surname, person.gender = story["name"]
        person.postcode = story.get("postcode", person.postcode)
        person.student_number = story.get("student_number", "")
        person.extra = story.get("extra", "")
        person.eck_id = ""
        if "born" in story:
            person.born = story["born"].strftime("%d-%m-%Y")


def make_families(people: list[Person]) -> None:
    """Brothers and sisters live in one house and are known by one address of a parent."""
    for school in (0, 1):
        eldest, younger, youngest = list(SCHOOLS[school]["classes"])[-1:-4:-1]
        for slot in FAMILY_SLOTS:
            head = seat(people, eldest, slot, school)
            household = plain_ascii(head.preposition + head.surname) + head.house_number
            head.email = f"familie.{household}@example.org"
            for class_name in (younger, youngest) if slot == FAMILY_SLOTS[-1] else (younger,):
                child = seat(people, class_name, slot, school)
                child.preposition, child.surname = head.preposition, head.surname
                child.postcode, child.house_number = head.postcode, head.house_number
                child.email = head.email


def own_email(person: Person) -> str:
    surname = plain_ascii(person.preposition + person.surname)
    return f"{plain_ascii(person.first_name)}.{surname}@example.nl"


def vary_fields(people: list[Person]) -> None:
    """What may be empty is empty now and then; some live in Belgium; one is blocked."""
    for number, person in enumerate(people):
        if not person.email and number % 37 != 11:
            person.email = own_email(person)
        if person.role == "Teacher" or person.has_story or person.slot in FAMILY_SLOTS:
            continue
        person.gender = {40: "U", 71: ""}.get(number % 83, person.gender)
        person.born = "" if number % 97 == 51 else person.born
        person.house_number = "" if number % 61 == 33 else person.house_number
        person.state = "B" if number == 148 else "A"
        if person.school == 2 and person.slot in BELGIAN_SLOTS:
            person.postcode, person.country = "2910", "BE"


def refused_people(people: list[Person], taken: set[str]) -> list[Person]:
    """Someone for each refused row of persons.csv that repeats no earlier one."""
    faults = [fault for fault in faults_of("persons.csv") if fault.is_a_row_of_its_own]
    pupils = [person for person in people if person.class_name]
    found = []
    for number, place in enumerate(spread(len(pupils), len(faults))):
        person = new_person(taken, pupils[place].school, pupils[place].class_name, 100 + number)
        person.email = own_email(person)
        person.fault = faults[number]
        found.append(person)
    return found


def take_in(people: list[Person], person: Person) -> None:
    """Put someone among the class, before the last place so that the order of classes stays."""
    class_mates = [
        place
        for place, other in enumerate(people)
        if (other.school, other.class_name) == (person.school, person.class_name)
    ]
    people.insert(class_mates[draw("seat", person.slot) % len(class_mates)], person)


def hand_out_numbers(people: list[Person]) -> None:
    """Customer numbers run through the whole file, student numbers through each school."""
    key = 204_100
    last = [school["student_numbers"] for school in SCHOOLS]

    def next_number(school: int) -> str:
        last[school] += 1 + draw("student number", school, last[school]) % 3
        return str(last[school])

    for person in people:
        key += 1 + draw("key", key) % 4
        person.key = f"K{key}"
        if person.role == "Student" and not person.student_number:
            person.student_number = next_number(person.school)
        if person.second_school is not None:
            person.second_student_number = next_number(person.second_school)
