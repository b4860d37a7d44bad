"""The import pages, walked as a colleague walks them, and as somebody with bad intentions."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from backoffice.jobs import services
from backoffice.jobs.models import Job
from backoffice.jobs.work import continue_jobs
from backoffice.outbox.models import Message
from persons.models import Person
from tests.factories import UserFactory

from .given import EXAMPLES, example_schools, import_of, person, pupil, school, table

pytestmark = pytest.mark.django_db

START = "/admin/importeren/"
POSTS = ("run", "send", "cancel", "continue")
READS = ("job", "progress", "errors")


def colleague(*permissions: str) -> Client:
    """Somebody with these rights, signed in."""
    user = UserFactory()
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def importer() -> Client:
    return colleague("jobs.add_job", "persons.push_person")


def upload(client: Client, data: bytes, *, name: str = "2V.csv", kind: str = "") -> Any:
    return client.post(START, {"file": SimpleUploadedFile(name, data), "kind": kind})


def url(name: str, job: Job) -> str:
    return reverse(f"admin:import_{name}", args=[job.pk])


def text_of(response: Any) -> str:
    """The page as one reads it: no markup, single spaces."""
    page = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", page)


class Elements(HTMLParser):
    """The names of all elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(f"@{name}" for name, _value in attrs)]


def test_the_road_from_a_file_to_the_queue(importer: Client) -> None:
    school()
    with override("en"):
        answer = upload(importer, table([pupil(1), pupil(2, Achternaam=""), pupil(3)]))
        job = Job.objects.get()
        assert answer["Location"] == url("job", job)

        preview = text_of(importer.get(url("job", job), headers={"Accept-Language": "en"}))
        importer.post(url("run", job))
        done = importer.get(url("job", job))
        importer.post(url("send", job))

    assert "5020" in preview
    assert Person.objects.count() == 2
    assert url("send", job) in done.content.decode()
    assert Message.objects.count() == 4
    assert not Message.objects.exclude(created_by=job.created_by).exists()
    assert url("send", job) not in importer.get(url("job", job)).content.decode()


def test_looking_changes_nothing(importer: Client) -> None:
    school()
    upload(importer, table([pupil(1)]))
    job = Job.objects.get()
    before = Job.objects.values().get()

    for name in READS:
        assert importer.get(url(name, job)).status_code == 200
        assert importer.head(url(name, job)).status_code == 200
    importer.get(START)

    assert Job.objects.values().get() == before
    assert not Person.objects.exists()


@pytest.mark.parametrize("name", POSTS)
def test_a_button_is_pressed_and_never_linked_to(name: str, importer: Client) -> None:
    school()
    job = import_of([pupil(1)])

    assert importer.get(url(name, job)).status_code == 405


@pytest.mark.parametrize("name", READS)
def test_a_page_takes_no_post(name: str, importer: Client) -> None:
    school()
    job = import_of([pupil(1)])

    assert importer.post(url(name, job)).status_code == 405
    assert importer.put(START).status_code == 405


@pytest.mark.parametrize("name", [*READS, *POSTS])
def test_a_stranger_is_sent_to_the_login(name: str) -> None:
    school()
    job = import_of([pupil(1)])
    stranger = Client()

    answer = stranger.post(url(name, job)) if name in POSTS else stranger.get(url(name, job))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
    assert not Person.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_cannot_upload(method: str) -> None:
    answer = getattr(Client(), method)(START)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", [*READS, *POSTS])
def test_a_colleague_without_the_right_sees_and_does_nothing(name: str) -> None:
    school()
    job = import_of([pupil(1)])
    reader = colleague("persons.view_person", "jobs.view_job")

    answer = reader.post(url(name, job)) if name in POSTS else reader.get(url(name, job))

    assert answer.status_code == 403
    assert reader.get(START).status_code == 403
    assert upload(reader, table([pupil(1)])).status_code == 403
    assert Job.objects.get().status == Job.Status.PREVIEW


def test_sending_needs_the_right_to_push() -> None:
    school()
    clerk = colleague("jobs.add_job")
    job = import_of([pupil(1)])
    clerk.post(url("run", job))

    page = clerk.get(url("job", job)).content.decode()

    assert url("send", job) not in page
    assert clerk.post(url("send", job)).status_code == 403
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", POSTS)
def test_a_post_without_its_token_is_refused(name: str) -> None:
    school()
    job = import_of([pupil(1)])
    client = Client(enforce_csrf_checks=True)
    user = UserFactory(is_superuser=True)
    client.force_login(user)

    assert client.post(url(name, job)).status_code == 403


def test_an_upload_without_its_token_is_refused_and_with_it_taken() -> None:
    school()
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(is_superuser=True))
    file = {"file": SimpleUploadedFile("x.csv", table([pupil(1)]))}

    assert client.post(START, file).status_code == 403

    client.get(START)
    token = client.cookies["csrftoken"].value
    again = {"file": SimpleUploadedFile("x.csv", table([pupil(1)])), "csrfmiddlewaretoken": token}
    assert client.post(START, again).status_code == 302


BAD_UPLOADS = {
    "a workbook": b"PK\x03\x04 [Content_Types].xml xl/",
    "a picture": b"\x89PNG\r\n\x1a\n",
    "empty": b"",
    "only a header": table([person()]).splitlines()[0],
    "a missing column": table([person()]).replace(b"Achternaam", b"Naam"),
    "two encodings": table([person(Voornaam="Zoë")]) + "Zoë\n".encode("cp1252"),
}


@pytest.mark.parametrize("name", BAD_UPLOADS)
def test_a_bad_file_gives_the_form_again_with_one_sentence(name: str, importer: Client) -> None:
    answer = upload(importer, BAD_UPLOADS[name])

    assert answer.status_code == 422
    page = answer.content.decode()
    assert page.count('class="errornote"') == 1
    assert "Traceback" not in page
    assert not Job.objects.exists()


def test_a_form_without_a_file_says_so(importer: Client) -> None:
    answer = importer.post(START, {"kind": "persons"})

    assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["x", "persons; drop"])
def test_an_unknown_kind_is_refused(kind: str, importer: Client) -> None:
    assert upload(importer, table([person()]), kind=kind).status_code == 422


def test_an_upload_above_the_limit_is_not_stored_and_told(
    importer: Client, settings: Any, tmp_path: Path
) -> None:
    settings.IMPORT_MAX_BYTES = 70_000
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)

    answer = upload(importer, table([person()]) + b"\n" * 1_000_000)

    assert answer.status_code == 422
    assert "MB" in text_of(answer)
    assert all(file.stat().st_size <= 70_000 for file in tmp_path.iterdir())


def test_a_cell_full_of_markup_is_shown_as_text(importer: Client) -> None:
    school()
    payload = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 }}'
    rows = [pupil(1, Voornaam=payload[:50]), pupil(2, Achternaam=payload), pupil(3, Rol=payload)]
    extra = [row | {f"<b>{payload}": payload} for row in rows]
    clean = upload(importer, table([pupil(n) for n in (4, 5, 6)])) and Job.objects.latest("pk")
    upload(importer, table(extra), name="<script>x.csv")
    job = Job.objects.latest("pk")

    for result in ("all", "refused", "created"):
        page = importer.get(url("job", job) + f"?result={result}").content.decode()
        ordinary = importer.get(url("job", clean) + "?result=all").content.decode()

        found = set(Elements(page).found)
        assert "<script>alert" not in page
        assert "@onerror" not in found
        assert Elements(page).found.count("script") == Elements(ordinary).found.count("script")
        assert "img" not in found
    assert "<script>x" not in importer.get(START).content.decode()


def test_the_example_files_are_one_click_away_on_one_machine(importer: Client) -> None:
    example_schools()

    answer = importer.post(START, {"example": "products.csv"})

    job = Job.objects.get()
    assert answer["Location"] == url("job", job)
    assert job.total == 40
    page = importer.get(START).content.decode()
    assert all(f'value="{file.name}"' in page for file in EXAMPLES.glob("*.csv"))


@pytest.mark.parametrize("name", ["../manage.py", "/etc/passwd", "expected.json", "x.csv"])
def test_no_other_file_can_be_read_as_an_example(name: str, importer: Client) -> None:
    assert importer.post(START, {"example": name}).status_code == 422


def test_there_are_no_examples_where_real_pupils_are(importer: Client, settings: Any) -> None:
    settings.BACKOFFICE_ENV = "production"

    assert importer.post(START, {"example": "products.csv"}).status_code == 422
    assert 'name="example"' not in importer.get(START).content.decode()


@pytest.mark.parametrize("kind", ["persons", "person-credits", "school-credits", "products"])
def test_each_template_can_be_downloaded(kind: str, importer: Client) -> None:
    answer = importer.get(reverse("admin:import_template", args=[kind]))

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="{kind}.csv"'


def test_an_unknown_template_is_not_found(importer: Client) -> None:
    assert importer.get(reverse("admin:import_template", args=["x"])).status_code == 404


def test_the_refused_rows_can_be_downloaded(importer: Client) -> None:
    school()
    job = import_of([pupil(1, Achternaam="")])

    answer = importer.get(url("errors", job))

    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert "no-store" in answer["Cache-Control"]
    assert b"5020" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_the_page_polls_while_edu_ix_is_asked_and_then_reloads(importer: Client) -> None:
    upload(importer, table([pupil(1)]))
    job = Job.objects.get()
    assert job.status == Job.Status.ASKING
    page = importer.get(url("job", job)).content.decode()
    assert f'hx-get="{url("progress", job)}"' in page
    assert importer.get(url("progress", job)).headers.get("HX-Refresh") is None

    school()
    Message.objects.update(status=Message.Status.DONE)
    while continue_jobs():
        pass

    assert importer.get(url("progress", job)).headers["HX-Refresh"] == "true"


def test_the_page_tells_why_edu_ix_has_not_answered(importer: Client) -> None:
    upload(importer, table([pupil(1)]))
    job = Job.objects.get()
    Message.objects.update(tries=1, text="Connection refused")

    assert "Connection refused" in text_of(importer.get(url("progress", job)))


def test_a_colleague_may_go_on_without_the_answer(importer: Client) -> None:
    upload(importer, table([pupil(1)]))
    job = Job.objects.get()

    importer.post(url("continue", job))

    job.refresh_from_db()
    assert job.summary["counts"] == {"refused": 1}


def test_a_large_file_shows_how_far_it_is(
    importer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SMALL", 2)
    school()

    upload(importer, table([pupil(number) for number in range(4)]))

    page = importer.get(url("job", Job.objects.get())).content.decode()
    assert '<progress class="bar" value="0" max="4"' in page


def test_a_stopped_import_says_so_and_offers_nothing_to_take_in(importer: Client) -> None:
    school()
    job = import_of([pupil(1)])

    importer.post(url("cancel", job))
    importer.post(url("run", job))

    assert not Person.objects.exists()
    assert url("run", job) not in importer.get(url("job", job)).content.decode()


def test_rows_come_by_the_page(importer: Client) -> None:
    school()
    job = import_of([pupil(number) for number in range(120)])

    first = importer.get(url("job", job) + "?result=created").content.decode()
    second = importer.get(url("job", job) + "?result=created&after=51").content.decode()

    assert "K49-1" in first
    assert "K50-1" not in first
    assert "?result=created&amp;after=51" in first
    assert "K50-1" in second


@pytest.mark.parametrize(
    "query", ["?result=x", "?after=x", "?after=-1", f"?after={10**12}", "?result=refused"]
)
def test_a_page_stands_any_address(query: str, importer: Client) -> None:
    school()
    job = import_of([pupil(1)])

    assert importer.get(url("job", job) + query).status_code == 200


@pytest.mark.parametrize("rows", [2, 60])
def test_a_preview_costs_the_same_whatever_its_size(
    rows: int,
    importer: Client,
    django_assert_max_num_queries: Any,
) -> None:
    school()
    job = import_of([pupil(number, Achternaam="") for number in range(rows)])

    with django_assert_max_num_queries(20):
        importer.get(url("job", job))


def test_no_page_carries_a_script_or_style_of_its_own(importer: Client) -> None:
    school()
    job = import_of([pupil(1), pupil(2, Achternaam="")])

    for page in (importer.get(START), importer.get(url("job", job))):
        content = page.content.decode()
        assert "@style" not in Elements(content).found
        assert not re.search(r"<script(?![^>]*\bsrc=)", content)
        assert not re.search(r"\son[a-z]+=", content)
