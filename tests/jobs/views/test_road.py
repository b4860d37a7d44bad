"""The pages of an import: the road of a file, its preview, and who may."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override

from backoffice.jobs import services
from backoffice.jobs.models import Job
from backoffice.jobs.work import continue_jobs
from backoffice.outbox.models import Message
from persons.models import Person
from tests.factories import UserFactory
from tests.jobs.given import import_of, pupil, school, table
from tests.jobs.views.conftest import START, Elements, colleague, text_of, upload, url

pytestmark = pytest.mark.django_db


POSTS = ("run", "send", "cancel", "continue")


READS = ("job", "progress", "errors")


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


def test_who_began_an_import_is_told_elsewhere_when_it_is_over_and_not_on_its_own_page(
    importer: Client,
) -> None:
    school()
    upload(importer, table([pupil(1)]))
    job = Job.objects.get()
    with override("en"):
        own = importer.get(url("job", job)).content.decode()
        assert "messagelist" not in own
        importer.post(url("run", job))
        assert Job.objects.get().status == Job.Status.DONE

        elsewhere = importer.get("/admin/").content.decode()

    assert f'<a href="{url("job", job)}">2V.csv</a>' in elsewhere
    assert "messagelist" not in importer.get("/admin/").content.decode()


def test_looking_changes_nothing(importer: Client) -> None:
    school()
    upload(importer, table([pupil(1)]))
    job = Job.objects.get()
    before = Job.objects.values().get() | {"told": "preview"}  # who asked has seen it

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

    text = text_of(importer.get(url("progress", job)))
    assert "Nog geen antwoord. Edu-iX is niet te bereiken." in text
    assert "Connection refused" not in text


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
