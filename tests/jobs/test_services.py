"""Files as a whole: the examples, bad input, the same file twice, and what it costs."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.jobs import services
from backoffice.jobs.files import BadFile
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.services import (
    cancel_import,
    create_import_job,
    go_on_without_answers,
    prune_jobs,
    run_import,
    send_import,
)
from backoffice.jobs.work import continue_jobs
from backoffice.outbox.models import Message
from credits.models import PersonCredit, Product, SchoolCredit
from persons.models import Person, SchoolPerson
from tests.factories import UserFactory

from .given import (
    EXAMPLES,
    PERSON_CREDIT,
    example_schools,
    import_of,
    person,
    pupil,
    results,
    school,
    table,
)

pytestmark = pytest.mark.django_db

FILES = ("persons", "person-credits", "school-credits")
EXPECTED = json.loads((EXAMPLES / "expected.json").read_text(encoding="utf-8"))


def example(kind: str) -> Job:
    """A checked import of an example file; Edu-iX knows no other school than those."""
    data = (EXAMPLES / f"{kind}.csv").read_bytes()
    job = create_import_job(name=f"{kind}.csv", stream=io.BytesIO(data))
    return go_on_without_answers(job=job) if job.status == Job.Status.ASKING else job


@pytest.fixture
def imported() -> dict[str, Job]:
    """All examples taken in, in their order."""
    example_schools()
    return {kind: run_import(job=example(kind)) for kind in ("products", *FILES)}


@pytest.mark.parametrize("kind", FILES)
def test_an_example_gives_exactly_what_is_written_about_it(
    kind: str, imported: dict[str, Job]
) -> None:
    facts = EXPECTED[f"{kind}.csv"]
    rows = {row.number: row for row in imported[kind].rows.all()}

    def lines(*wanted: str) -> list[int]:
        return [number for number, row in rows.items() if row.result in wanted]

    def with_remark(severity: str) -> dict[int, dict[str, Any]]:
        return {
            number: remark
            for number, row in rows.items()
            for remark in row.findings
            if remark["severity"] == severity
        }

    assert len(rows) == facts["rows"]
    assert len(lines(*JobRow.GOOD)) == facts["good"]
    assert lines("skipped") == facts["skipped"]
    assert sorted(with_remark("warning")) == facts["warnings"]
    assert lines("refused") == [int(line) for line in facts["bad"]]
    assert {
        str(number): {"column": remark["column"], **remark["params"]}
        for number, remark in with_remark("changed").items()
    } == facts["normalised"]


@pytest.mark.parametrize("kind", FILES)
def test_each_wrong_row_has_its_column_and_code(kind: str, imported: dict[str, Job]) -> None:
    for line, wanted in EXPECTED[f"{kind}.csv"]["bad"].items():
        row = imported[kind].rows.get(number=int(line))
        errors = [remark for remark in row.findings if remark["severity"] == "error"]

        assert [(remark["column"], remark["code"]) for remark in errors] == [
            (wanted["column"], wanted["code"])
        ], line
        assert row.key == wanted["key"]
        assert errors[0]["params"].get("earlier") == wanted.get("earlier_line")


def test_the_examples_give_the_school_year_they_describe(imported: dict[str, Job]) -> None:
    facts = EXPECTED["persons.csv"]

    assert Person.objects.count() == facts["persons"]
    assert SchoolPerson.objects.count() == facts["good"]
    teachers = Person.objects.filter(school_persons__role="Teacher").distinct()
    assert teachers.count() == facts["teachers"]
    assert PersonCredit.objects.count() == 900
    assert SchoolCredit.objects.count() == 6
    assert Product.objects.count() == 40


def test_brothers_and_sisters_are_hinted_at(imported: dict[str, Job]) -> None:
    hinted = [
        row.number
        for row in imported["persons"].rows.order_by("number")
        if any(remark["key"] == "same_email" for remark in row.findings)
    ]

    groups = EXPECTED["persons.csv"]["same_email"]
    assert hinted == sorted(line for group in groups for line in group)


@pytest.mark.parametrize("kind", ["products", *FILES])
def test_the_same_file_twice_changes_nothing(kind: str, imported: dict[str, Job]) -> None:
    before = imported[kind].summary["counts"]

    again = run_import(job=example(kind))

    counts = again.summary["counts"]
    assert counts == {
        **{result: number for result, number in before.items() if result != "created"},
        "unchanged": before["created"],
    }
    assert not JobRow.objects.filter(job=again, result="unchanged").exclude(after={}).exists()


@pytest.mark.parametrize("kind", FILES)
def test_a_file_costs_queries_by_the_chunk_and_not_by_the_row(kind: str) -> None:
    example_schools()
    for each in FILES[: FILES.index(kind)]:
        run_import(job=example(each))

    with CaptureQueriesContext(
        connection,
    ) as preview:
        job = example(kind)
    with CaptureQueriesContext(connection) as run:
        run_import(job=job)

    assert len(preview) <= 60
    assert len(run) <= 60


BAD_FILES = {
    "a workbook": b"PK\x03\x04 [Content_Types].xml xl/",
    "empty": b"",
    "only a header": table([person()]).splitlines()[0],
    "no known column": b"a;b;c\n1;2;3\n",
    "a missing column": table([person()]).replace(b"Achternaam", b"Naam"),
    "a column twice": table([person()]).replace(b"Tussenvoegsel", b"Voornaam"),
    "an open quote": table([person(), person()]) + b'K9;"Jan;van\n',
    "two encodings": table([person(Voornaam="Zoë")]) + "Zoë\n".encode("cp1252"),
    "a nul byte": table([person()]) + b"\0",
    "one column": b"Klantnummer\nK1\n",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_in_one_line_and_leaves_nothing(name: str) -> None:
    school()

    with pytest.raises(BadFile) as refused:
        import_of(BAD_FILES[name])

    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) > 10
    assert not Job.objects.exists()
    assert not Message.objects.exists()


def test_whatever_goes_wrong_while_storing_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    school()

    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(services, "_settle", broken)
    with pytest.raises(RuntimeError):
        import_of([person()])

    assert not Job.objects.exists()
    assert not JobRow.objects.exists()


def test_the_kind_is_told_from_the_header() -> None:
    example_schools()

    kinds = [example(kind).kind for kind in ("products", *FILES)]

    assert kinds == [
        Job.Kind.IMPORT_PRODUCTS,
        Job.Kind.IMPORT_PERSONS,
        Job.Kind.IMPORT_PERSON_CREDITS,
        Job.Kind.IMPORT_SCHOOL_CREDITS,
    ]


def test_a_title_beside_each_credit_does_not_make_it_a_file_of_products() -> None:
    job = import_of([{**PERSON_CREDIT, "title": "Getalwijs"}])

    assert job.kind == Job.Kind.IMPORT_PERSON_CREDITS


def test_a_file_of_another_kind_than_chosen_is_named() -> None:
    with pytest.raises(BadFile, match=r"(?i)credit"):
        import_of([PERSON_CREDIT], "persons")


def test_ignored_columns_are_named_on_the_job() -> None:
    school()

    job = import_of([person(userID="u1", profileID="12", Mentor="x")])

    assert job.summary["ignored"] == ["userID", "profileID", "Mentor"]
    run_import(job=job)
    assert Person.objects.get().user_id == ""


def test_a_column_that_is_absent_leaves_what_we_hold() -> None:
    school()
    run_import(job=import_of([person()]))
    row = person(Voornaam="Anne")
    del row["E-mail"], row["Huisnummer"]

    job = run_import(job=import_of([row]))

    held = Person.objects.get()
    assert (held.first_name, held.email, held.house_number) == ("Anne", "sanne@example.nl", 12)
    assert job.summary["absent"] == ["email", "house_number"]


def test_an_empty_cell_empties_what_may_be_empty() -> None:
    school()
    run_import(job=import_of([person()]))

    run_import(job=import_of([person(Huisnummer="", Geboortedatum="")]))

    held = Person.objects.get()
    assert (held.house_number, held.date_of_birth) == (None, None)


def test_a_file_that_names_very_many_unknown_schools_is_refused_and_asks_nothing() -> None:
    rows = [pupil(number, **{"School-ID": f"x{number}"}) for number in range(201)]

    with pytest.raises(BadFile, match="201"):
        import_of(rows)

    assert not Message.objects.exists()


def test_each_unknown_school_is_asked_for_once() -> None:
    school()
    rows = [pupil(number, **{"School-ID": f"x{number % 2}"}) for number in range(6)]

    job = import_of([*rows, pupil(9)])

    assert job.status == Job.Status.ASKING
    assert sorted(Message.objects.values_list("subject", flat=True)) == ["school:x0", "school:x1"]
    assert not Person.objects.exists()


def test_going_on_without_the_answer_refuses_the_rows_of_unknown_schools() -> None:
    school()
    job = import_of([pupil(1, **{"School-ID": "x"}), pupil(2)])

    job = go_on_without_answers(job=job)

    assert job.status == Job.Status.PREVIEW
    assert results(job) == {2: "refused", 3: "created"}


def test_a_large_file_is_left_to_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SMALL", 3)
    school()

    job = import_of([pupil(number) for number in range(5)])
    assert job.status == Job.Status.CHECKING
    while continue_jobs():
        pass
    job.refresh_from_db()
    assert (job.status, job.summary["counts"]) == (Job.Status.PREVIEW, {"created": 5})

    run_import(job=job)
    assert job.status == Job.Status.RUNNING
    assert not Person.objects.exists()
    while continue_jobs():
        pass
    job.refresh_from_db()
    assert job.status == Job.Status.DONE
    assert Person.objects.count() == 5


def test_whoever_waits_gets_a_large_file_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SMALL", 3)
    school()
    told: list[tuple[int, int]] = []

    job = import_of(
        [pupil(number) for number in range(5)],
        wait=True,
        told=lambda done, total: told.append((done, total)),
    )

    assert job.status == Job.Status.PREVIEW
    assert told == [(5, 5)]
    assert run_import(job=job, wait=True).status == Job.Status.DONE


def test_running_twice_is_running_once() -> None:
    school()
    job = import_of([person()])

    run_import(job=job)
    finished = Job.objects.get(pk=job.pk).finished_at
    run_import(job=job)

    assert Person.objects.count() == 1
    assert Job.objects.get(pk=job.pk).finished_at == finished


def test_sending_queues_what_is_new_once_and_names_who_asked() -> None:
    school()
    user = UserFactory()
    job = run_import(job=import_of([pupil(1), pupil(2)]))

    job = send_import(job=job, user=user)
    again = send_import(job=Job.objects.get(pk=job.pk), user=user)

    assert Message.objects.filter(operation__endswith=".push").count() == 4
    assert {each.created_by for each in Message.objects.all()} == {user}
    assert again.queued == 0


def test_a_preview_cannot_be_sent_and_a_stopped_one_cannot_be_run() -> None:
    school()
    job = import_of([person()])

    send_import(job=job)
    assert not Message.objects.exists()
    assert cancel_import(job=job)
    run_import(job=job)

    assert job.status == Job.Status.CANCELLED
    assert not Person.objects.exists()
    assert not cancel_import(job=job)


def test_old_rows_are_pruned_and_their_counts_stay() -> None:
    school()
    done = run_import(job=import_of([person()]))
    preview = import_of([pupil(2)])
    Job.objects.update(created_at=timezone.now() - timedelta(days=400))
    recent = import_of([pupil(3)])

    deleted = prune_jobs(before=timezone.now() - timedelta(days=30))

    assert deleted == 2
    assert not JobRow.objects.exclude(job=recent).exists()
    done.refresh_from_db()
    preview.refresh_from_db()
    assert (done.status, done.summary["counts"]) == (Job.Status.DONE, {"created": 1})
    assert preview.status == Job.Status.CANCELLED
