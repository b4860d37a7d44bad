"""The rows of the three import files, the wrong ones among them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from stdnum import ean as ean13

from example_year.people import Person
from example_year.source import DATA, SCHOOLS, Fault, draw, faults_of, pick, spread

PERSON_COLUMNS = [
    "Klantnummer",
    "Voornaam",
    "Tussenvoegsel",
    "Achternaam",
    "Geboortedatum",
    "Geslacht",
    "Status",
    "E-mail",
    "Postcode",
    "Huisnummer",
    "Land",
    "ECK iD",
    "Schoolpersoonnummer",
    "School-ID",
    "Leerlingnummer",
    "Rol",
]
PERSON_CREDIT_COLUMNS = [
    "distributorPersonCreditID",
    "distributorSchoolPersonID",
    "ean",
    "creditStartDate",
    "creditEndDate",
    "personProductState",
    "schoolYear",
]
SCHOOL_CREDIT_COLUMNS = [
    "distributorSchoolCreditID",
    "organisationID",
    "ean",
    "creditStartDate",
    "creditEndDate",
    "contactName",
    "contactEmail",
    "schoolYear",
    "amount",
]

FIRST_DAY, LAST_DAY = DATA["first_day"].isoformat(), DATA["last_day"].isoformat()
LATE_START, SECOND_HALF = "2026-09-14", "2027-02-01"
COPY_DISTANCE = 12  # rows between a row and its repetition


@dataclass(eq=False)
class Row:
    """A line of an import file. `owner` is the person whom it is about."""

    values: dict[str, str]
    owner: Person | None = None
    fault: Fault | None = None
    original: "Row | None" = None
    line: int = 0
    is_ordinary: bool = True

    @property
    def is_plain(self) -> bool:
        """Part of no story: a fault may be laid on this row."""
        return self.is_ordinary and not self.fault and bool(self.owner and self.owner.is_plain)

    def fits(self, fault: Fault) -> bool:
        if not self.is_plain or self.owner is None:
            return False
        gender = {"girl": "F", "boy": "M"}.get(fault.who, self.owner.gender)
        role = "Teacher" if fault.who == "teacher" else "Student"
        return bool(self.owner.gender == gender and self.owner.role == role)


@dataclass
class Titles:
    """Every title's EAN; the same title has the same number wherever it is asked for."""

    eans: dict[str, str] = field(default_factory=dict)

    def ean(self, title: str) -> str:
        if title not in self.eans:
            digits = title.partition("|")[0] + f"{draw('ean', title) % 100_000:05d}"
            self.eans[title] = digits + ean13.calc_check_digit(digits)
        return self.eans[title]


def person_rows(people: list[Person]) -> list[Row]:
    """By school: its own people, then those who are at another school as well."""
    rows: list[Row] = []
    for number in range(len(SCHOOLS)):
        rows += [person_row(person) for person in people if person.school == number]
        guests = [person for person in people if person.second_school == number]
        rows += [person_row(person, is_guest=True) for person in guests]
    lay_faults("persons.csv", rows)
    return number_lines(rows)


def person_row(person: Person, *, is_guest: bool = False) -> Row:
    school = person.second_school if is_guest else person.school
    values = (
        *(person.key, person.first_name, person.preposition, person.surname, person.born),
        *(person.gender, person.state, person.email, person.postcode, person.house_number),
        *(person.country, person.eck_id, f"{person.key}-{2 if is_guest else 1}"),
        SCHOOLS[school]["organisationID"],
        person.second_student_number if is_guest else person.student_number,
        person.role,
    )
    named = dict(zip(PERSON_COLUMNS, values, strict=True))
    row = Row(named, owner=person, fault=person.fault, is_ordinary=not is_guest)
    if person.fault:
        row.values.update(person.fault.change)
    return row


def person_credit_rows(people: list[Person], titles: Titles) -> list[Row]:
    """In the order of the people; a key counts up, so the refused ones have a key as well."""
    chosen = choose_titles([person for person in people if not person.fault])
    rows = [
        credit_row(person, title, titles, is_guest=is_guest) for person, title, is_guest in chosen
    ]
    faults = [fault for fault in faults_of("person-credits.csv") if fault.is_a_row_of_its_own]
    spare = [credit["title"] for credit in DATA["school_credits"]]
    owners = [row.owner for row in rows if row.is_plain]
    for number, place in enumerate(spread(len(owners), len(faults))):
        owner, fault = owners[place], faults[number]
        if owner is not None:
            extra = credit_row(owner, spare[number % len(spare)], titles)
            extra.fault = fault
            at = next(index for index, row in enumerate(rows) if row.owner is owner)
            rows.insert(at, extra)
    for number, row in enumerate(rows):
        row.values["distributorPersonCreditID"] = f"T{3_100_000 + 7 * number}"
        if row.fault:
            row.values.update(row.fault.change)
    lay_faults("person-credits.csv", rows)
    return number_lines(rows)


def choose_titles(people: list[Person]) -> list[tuple[Person, str, bool]]:
    """Who gets what, and whether at the second school. Ends at the number of credits asked for."""
    core, choices = DATA["core"], DATA["choices"]
    wishes: list[tuple[Person, str, bool]] = []
    for person in people:
        if person.role == "Teacher":
            wishes += [(person, title, False) for title in teacher_titles(person)]
            continue
        wishes += [(person, title, False) for title in core[person.class_name]]
        if person.second_school is not None:
            wishes.append((person, choices[person.class_name][0], True))
    for trouble in DATA["troubled"]:
        wishes += [(person, trouble["title"], False) for person in troubled(people, trouble)]
    pupils = [p for p in people if p.role == "Student" and p.second_school is None]
    for person in sorted(pupils, key=lambda person: draw("choice", person.key)):
        if len(wishes) < DATA["credits"]:
            title = pick(choices[person.class_name], "choice title", person.key)
            wishes.append((person, title, False))
    place = {person: number for number, person in enumerate(people)}
    return sorted(wishes, key=lambda wish: place[wish[0]])


def teacher_titles(person: Person) -> list[str]:
    """One subject in each class of the school."""
    core = DATA["core"]
    return [core[name][person.slot % 3] for name in SCHOOLS[person.school]["classes"]]


def troubled(people: list[Person], trouble: dict[str, object]) -> Iterator[Person]:
    """The pupils of a title whose publisher gives trouble: linked ones, or nobody would notice."""
    title, wanted = str(trouble["title"]), int(str(trouble["pupils"]))
    class_mates = [
        person
        for person in people
        if SCHOOLS[person.school]["name"] == trouble["school"]
        and person.class_name == trouble["class"]
        and person.extra in ("", title[:7])
        and person.postcode != DATA["postcode_unknown"]
        and not person.student_number.endswith("9999")
    ]
    # The person whose story it is comes first.
    class_mates.sort(key=lambda person: (not person.extra, draw("trouble", title, person.key)))
    yield from class_mates[:wanted]


def credit_row(person: Person, title: str, titles: Titles, *, is_guest: bool = False) -> Row:
    is_late = not person.has_story and draw("late", person.key) % 14 == 0
    is_choice = title in DATA["choices"].get(person.class_name, [])
    start = LATE_START if is_late else FIRST_DAY
    if is_choice and draw("second half", person.key) % 8 == 0:
        start = SECOND_HALF
    school_person = f"{person.key}-{2 if is_guest else 1}"
    values = ("", school_person, titles.ean(title), start, LAST_DAY, "Active")
    named = dict(zip(PERSON_CREDIT_COLUMNS, (*values, str(DATA["school_year"])), strict=True))
    is_core = title in DATA["core"].get(person.class_name, [])
    return Row(named, owner=person, is_ordinary=is_core and not is_guest)


def school_credit_rows(titles: Titles) -> list[Row]:
    organisations = {school["name"]: school["organisationID"] for school in SCHOOLS}
    rows = []
    for number, credit in enumerate(DATA["school_credits"]):
        contact_name, contact_email = credit["contact"]
        values = (
            *(f"S{5101 + number}", organisations[credit["school"]], titles.ean(credit["title"])),
            *(FIRST_DAY, LAST_DAY, contact_name, contact_email),
            *(str(DATA["school_year"]), str(credit["amount"])),
        )
        rows.append(Row(dict(zip(SCHOOL_CREDIT_COLUMNS, values, strict=True))))
    for fault in faults_of("school-credits.csv"):
        wrong = {"distributorSchoolCreditID": f"S{5101 + len(rows)}", **fault.change}
        rows.append(Row({**rows[-1].values, **wrong}, fault=fault))
    return number_lines(rows)


def lay_faults(file: str, rows: list[Row]) -> None:
    """Change rows of the year where the fault leaves them good; add the repeated rows."""
    faults = [fault for fault in faults_of(file) if not fault.is_a_row_of_its_own]
    for place, fault in zip(spread(len(rows), len(faults)), faults, strict=True):
        candidates = [*rows[place:], *rows[:place]]
        row = next(row for row in candidates if row.fits(fault))
        if fault.repeats:
            rows.insert(rows.index(row) + COPY_DISTANCE, repeated(row, fault))
            row.is_ordinary = False
        else:
            row.values.update(fault.change)
            row.fault = fault


def repeated(row: Row, fault: Fault) -> Row:
    """A later row that says the same once more, but for the change."""
    schools = [school["organisationID"] for school in SCHOOLS]
    other_school = next(key for key in schools if key != row.values.get("School-ID"))
    values = row.values | {
        name: value.replace("{person}", row.values.get("Klantnummer", "")).replace(
            "{other_school}", other_school
        )
        for name, value in fault.change.items()
    }
    return Row(values, owner=row.owner, fault=fault, original=row)


def number_lines(rows: list[Row]) -> list[Row]:
    """A line of the file: the header is line 1."""
    for number, row in enumerate(rows, start=2):
        row.line = number
    return rows
