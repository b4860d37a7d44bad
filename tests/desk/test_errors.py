"""Pages for when a page cannot be shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from backoffice import urls as our_urls
from backoffice.desk import errors


def broken(request: Any) -> Any:
    raise RuntimeError("the secret of Sanne van den Berg")


urlpatterns = [path("broken/", broken), *our_urls.urlpatterns]
handler500 = our_urls.handler500


@pytest.mark.django_db
def test_a_page_that_is_not_there_says_so_in_dutch(manager: Client) -> None:
    response = manager.get("/admin/nergens/")

    text = response.content.decode()
    assert response.status_code == 404
    assert '<html lang="nl">' in text
    assert "/admin/" in text
    assert "theme.css" in text


@pytest.mark.django_db
def test_a_colleague_without_the_right_reads_who_can_give_it(signed_in: Any) -> None:
    response = signed_in().get("/admin/beheer/")

    assert response.status_code == 403
    assert "beheerder" in response.content.decode().lower()


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_with_words() -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})

    text = response.content.decode()
    assert response.status_code == 403
    assert "theme.css" in text
    assert "CSRF" not in text


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__, LOGIN_REQUIRED=False)
def test_a_fault_of_ours_shows_a_reference_and_never_what_broke(
    manager: Client, caplog: pytest.LogCaptureFixture
) -> None:
    manager.raise_request_exception = False

    with caplog.at_level(logging.ERROR, logger="backoffice.desk.errors"):
        response = manager.get("/broken/")

    (record,) = [record for record in caplog.records if record.getMessage() == "page_failed"]
    text = response.content.decode()
    assert response.status_code == 500
    assert vars(record)["reference"] in text
    assert "Sanne" not in text
    assert "Traceback" not in text


def test_the_page_of_a_fault_needs_no_database() -> None:
    response = errors.server_error(RequestFactory().get("/x/"))

    assert response.status_code == 500


@pytest.mark.parametrize(
    ("view", "status"), [(errors.bad_request, 400), (errors.permission_denied, 403)]
)
def test_no_page_repeats_what_went_wrong_inside(rf: RequestFactory, view: Any, status: int) -> None:
    response = view(rf.get("/x/"), PermissionDenied("inner words"))

    assert response.status_code == status
    assert "inner words" not in response.content.decode()


def test_every_page_tells_which_environment_this_is(rf: RequestFactory) -> None:
    with override_settings(BACKOFFICE_ENV="production"):
        text = errors.page_not_found(rf.get("/x/"), Exception()).content.decode()

    assert 'class="env production"' in text
