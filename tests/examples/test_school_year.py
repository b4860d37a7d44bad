"""The year as it stands in the files: how many, how different, how believable."""

import json
import re
from collections import Counter, defaultdict
from datetime import date, datetime
from typing import Any

import pytest
from stdnum import ean as ean13
from stdnum.nl import brin

from backoffice.eduix.rules import check

from .files import EXAMPLES, expected, good_rows, person_part, read, told

TODAY = date(2026, 11, 2)
HEADERS = {
    "persons.csv": "Klantnummer;Voornaam;Tussenvoegsel;Achternaam;Geboortedatum;Geslacht;Status;"
    "E-mail;Postcode;Huisnummer;Land;ECK iD;Schoolpersoonnummer;School-ID;Leerlingnummer;Rol",
    "person-credits.csv": "distributorPersonCreditID,distributorSchoolPersonID,ean,"
    "creditStartDate,creditEndDate,personProductState,schoolYear",
    "school-credits.csv": "distributorSchoolCreditID\torganisationID\tean\tcreditStartDate\t"
    "creditEndDate\tcontactName\tcontactEmail\tschoolYear\tamount",
    "products.csv": "ean,title,publisher",
}


def schools() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((EXAMPLES / "schools.json").read_text("utf-8"))
    return found


def people() -> dict[str, dict[str, str]]:
    return {row["distributor_person_id"]: row for row in good_rows("persons.csv").values()}


@pytest.mark.parametrize("file", HEADERS)
def test_a_file_begins_with_its_header(file: str) -> None:
    text = (EXAMPLES / file).read_bytes().decode("utf-8")

    assert text.split("\n", 1)[0] == HEADERS[file]


def test_an_import_takes_in_240_pupils_and_12_teachers() -> None:
    roles = Counter(person["role"] for person in people().values())

    assert roles == {"Student": 240, "Teacher": 12}


def test_there_are_900_credits_of_persons_and_6_of_schools() -> None:
    assert len(good_rows("person-credits.csv")) == 900
    assert len(good_rows("school-credits.csv")) == 6


def test_three_schools_are_known_and_one_has_not_finished_prematching() -> None:
    assert len(schools()) == 3
    assert sorted(school["prematch"] for school in schools()) == [False, True, True]
    assert {school["portal"]["hubID"] for school in schools()} == {"Eduroute", "Kennisnet", "DAF"}


@pytest.mark.parametrize("school", schools(), ids=lambda school: str(school["name"]))
def test_a_school_obeys_the_rules_of_the_service(school: dict[str, Any]) -> None:
    record = {
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): value
        for name, value in school.items()
        if name not in ("portal", "prematch")
    }

    assert check("school", record, today=TODAY) == []
    assert brin.is_valid(school["brin"])


def test_every_school_has_pupils_teachers_and_school_credits() -> None:
    places = {(row["organisation_id"], row["role"]) for row in good_rows("persons.csv").values()}
    pools = {row["organisation_id"] for row in good_rows("school-credits.csv").values()}

    ids = {school["organisationID"] for school in schools()}
    assert places == {(school, role) for school in ids for role in ("Student", "Teacher")}
    assert pools == ids


def test_names_are_diverse_and_no_two_people_share_one() -> None:
    names = [(p["first_name"], p["preposition"], p["surname"]) for p in people().values()]

    prepositions = {name[1] for name in names}
    assert {"van den", "de", "van 't", "El", "ten", ""} <= prepositions
    assert {"Öztürk", "Çelik", "Nowak"} <= {name[2] for name in names}
    assert {"Noëlle", "Zoë", "Łukasz"} <= {name[0] for name in names}
    assert len(set(names)) == len(names)
    assert len({name[0] for name in names}) > 90
    assert len({name[2] for name in names}) > 100


def test_every_address_is_one_of_the_reserved_domains() -> None:
    addresses = [row["email"] for row in read("persons.csv").values() if row["email"]]
    addresses += [row["contact_email"] for row in read("school-credits.csv").values()]

    assert all(re.fullmatch(r"[a-z0-9.]+@example\.(nl|org)", address) for address in addresses)


def test_pupils_are_of_an_age_to_be_at_school() -> None:
    births = [p["date_of_birth"] for p in people().values() if p["role"] == "Student"]
    ages = [2026 - int(birth[-4:]) for birth in births if birth]

    assert min(ages) == 12
    assert max(ages) == 16
    assert "29-02-2012" in births


def test_everything_that_may_be_empty_is_empty_somewhere() -> None:
    optional = ("preposition", "date_of_birth", "gender", "email", "house_number", "eck_id")

    for column in optional:
        empty = sum(not person[column] for person in people().values())
        assert 0 < empty < 252, column


def test_most_people_have_no_eck_id_and_the_others_one_of_128_characters() -> None:
    eck_ids = [person["eck_id"] for person in people().values() if person["eck_id"]]

    assert 15 <= len(eck_ids) <= 60
    assert {len(eck_id) for eck_id in eck_ids} == {128}
    assert len(set(eck_ids)) == len(eck_ids)


def test_a_pupil_at_two_schools_has_two_rows_with_the_same_person() -> None:
    rows = good_rows("persons.csv")
    by_person = defaultdict(list)
    for line, row in rows.items():
        by_person[row["distributor_person_id"]].append(line)

    twice = [lines for lines in by_person.values() if len(lines) > 1]

    assert twice == expected()["persons.csv"]["two_schools"]
    assert len(twice) == 5
    for first, second in twice:
        assert person_part(rows[first]) == person_part(rows[second])
        assert rows[first]["organisation_id"] != rows[second]["organisation_id"]


def test_brothers_and_sisters_share_an_address_and_a_house() -> None:
    by_email = defaultdict(list)
    for key, person in people().items():
        if person["email"]:
            by_email[person["email"]].append(key)

    families = [keys for keys in by_email.values() if len(keys) > 1]

    assert len(families) == len(expected()["persons.csv"]["same_email"])  # type: ignore[arg-type]  # a list in the file
    assert sorted(len(keys) for keys in families) == [2, 2, 2, 2, 2, 2, 3, 3]
    for keys in families:
        houses = {
            (people()[key]["surname"], people()[key]["postal_code"], people()[key]["house_number"])
            for key in keys
        }
        assert len(houses) == 1


def test_some_pupils_are_never_linked_and_none_of_them_has_an_eck_id() -> None:
    lines = {
        line: row
        for line, row in good_rows("persons.csv").items()
        if row["school_student_number"].endswith("9999")
    }

    assert list(lines) == expected()["persons.csv"]["never_linked"]
    assert len(lines) == 6
    assert not any(row["eck_id"] for row in lines.values())


def test_three_pupils_with_credits_pass_our_check_and_have_a_postcode_that_does_not_exist() -> None:
    refused = {
        str(line): row
        for line, row in good_rows("persons.csv").items()
        if row["postal_code"] == "9999 XX"
    }
    owners = Counter(
        row["distributor_school_person_id"] for row in good_rows("person-credits.csv").values()
    )

    assert refused.keys() == expected()["persons.csv"]["refused_by_edu_ix"].keys()  # type: ignore[attr-defined]  # a table in the file
    assert len(refused) == 3
    assert all(owners[row["distributor_school_person_id"]] >= 3 for row in refused.values())


def test_most_credits_are_for_publishers_that_accept() -> None:
    by_publisher = Counter(row["ean"][:7] for row in good_rows("person-credits.csv").values())

    assert by_publisher.keys() == {
        *("9789001", "9789006", "9789011"),
        *("9789020", "9789028", "9789034", "9789086"),
    }
    assert by_publisher["9789034"] == 14
    assert all(3 <= by_publisher[prefix] <= 8 for prefix in ("9789020", "9789028", "9789086"))


def test_the_credits_of_a_troubled_publisher_get_as_far_as_that_publisher() -> None:
    linked = {school["organisationID"] for school in schools() if school["prematch"]}
    persons = {
        row["distributor_school_person_id"]: row for row in good_rows("persons.csv").values()
    }
    publishers = expected()["person-credits.csv"]["publishers"]
    credits_taken_in = good_rows("person-credits.csv")

    assert isinstance(publishers, dict)
    for lines in publishers.values():
        for line in lines:
            owner = persons[credits_taken_in[line]["distributor_school_person_id"]]
            assert owner["organisation_id"] in linked
            assert owner["postal_code"] != "9999 XX"
            assert not owner["school_student_number"].endswith("9999")


def test_credits_are_for_the_school_year_and_some_start_later() -> None:
    rows = good_rows("person-credits.csv").values()
    starts = Counter(row["credit_start_date"] for row in rows)

    assert {row["school_year"] for row in rows} == {"2627"}
    assert starts.keys() == {"2026-08-01", "2026-09-14", "2027-02-01"}
    assert starts["2026-08-01"] > 800
    assert min(starts.values()) > 5
    assert Counter(row["credit_end_date"] for row in rows)["2027-07-31"] == 899


def test_nobody_has_the_same_title_twice() -> None:
    rights = [
        (row["distributor_school_person_id"].rpartition("-")[0], row["ean"])
        for row in good_rows("person-credits.csv").values()
    ]

    assert len(set(rights)) == len(rights)


def test_every_ordered_ean_has_a_title_and_a_check_digit_but_the_marked_one() -> None:
    titles = {row["ean"] for row in read("products.csv").values()}
    ordered = {
        row["ean"]: (file, line)
        for file in ("person-credits.csv", "school-credits.csv")
        for line, row in good_rows(file).items()
    }

    without_title = {ean for ean in ordered if ean not in titles}
    wrong = {ean for ean in ordered if not ean13.is_valid(ean)}

    assert len(titles) == len(read("products.csv")) == 40
    assert all(ean13.is_valid(ean) and len(ean) == 13 for ean in titles)
    assert wrong == without_title
    assert [ordered[ean][0] for ean in wrong] == ["person-credits.csv"]
    assert ordered[wrong.pop()][1] in told("person-credits.csv").warnings


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("persons.csv", "distributor_school_person_id"),
        ("person-credits.csv", "distributor_person_credit_id"),
        ("school-credits.csv", "distributor_school_credit_id"),
        ("products.csv", "ean"),
    ],
)
def test_a_key_stands_once_but_for_the_marked_rows(file: str, column: str) -> None:
    rows = read(file) if file == "products.csv" else good_rows(file)
    keys = [row[column] for row in rows.values()]

    assert "" not in keys
    assert len(set(keys)) == len(keys)


def test_dates_of_persons_are_written_the_dutch_way() -> None:
    births = [row["date_of_birth"] for row in good_rows("persons.csv").values()]

    for birth in filter(None, births):
        assert datetime.strptime(birth, "%d-%m-%Y").date() < TODAY  # noqa: DTZ007  # a day has no zone
