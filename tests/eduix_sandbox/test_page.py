"""The control page: forms of this machine only, and what they bring about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from backoffice.eduix_sandbox.page import ControlPage
from backoffice.eduix_sandbox.page_words import KIND_WORDS, STATE_WORDS, TOLD
from backoffice.eduix_sandbox.server import SandboxServer
from backoffice.eduix_sandbox.troubles import ALL_KINDS, CALL_KINDS, NOTIFICATION_KINDS

from .callers import Caller
from .endpoint import Endpoint, text_of
from .samples import SCHOOLS, person, school_credit


@pytest.fixture
def paged(endpoint: Endpoint) -> Iterator[SandboxServer]:
    """A sandbox with a page, which tells the endpoint what changes."""
    with SandboxServer(
        schools=SCHOOLS, pace=0, page=ControlPage(), endpoint=endpoint.url, notify_first_wait=0.01
    ) as server:
        yield server


def get(sandbox: SandboxServer, path: str = "/", **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request("GET", sandbox.url + path, headers=sent, retries=False, timeout=5)


def submit(sandbox: SandboxServer, order: str, form: dict[str, Any], **headers: str) -> Any:
    sent = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": sandbox.url,
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request(
        "POST",
        f"{sandbox.url}/order/{order}",
        body=urlencode(form),
        headers={name: value for name, value in sent.items() if value},
        redirect=False,
        retries=False,
        timeout=5,
    )


def waiting(sandbox: SandboxServer) -> list[dict[str, Any]]:
    troubles: list[dict[str, Any]] = sandbox.control.state()["troubles"]
    return troubles


def test_without_one_there_is_no_page(sandbox: SandboxServer) -> None:
    assert get(sandbox).status == 404


def test_the_page_offers_every_trouble_and_every_operation(paged: SandboxServer) -> None:
    text = get(paged, Accept_Language="en").data.decode()

    assert set(re.findall(r'<option value="([a-z_]+)"', text)) >= set(ALL_KINDS)
    assert 'value="credit.returnCredit"' in text
    assert 'value="notification.prematchChanged"' in text
    assert "<script" not in text
    assert "style=" not in text
    assert not re.search(r'\son\w+="', text)


def test_the_page_speaks_dutch_and_english(paged: SandboxServer) -> None:
    dutch = get(paged).data.decode()
    english = get(paged, Accept_Language="en-GB,en;q=0.9").data.decode()

    assert '<html lang="nl">' in dutch
    assert '<html lang="en">' in english
    assert "Let a call go wrong" in english


def test_the_page_keeps_others_out_of_a_browser(paged: SandboxServer) -> None:
    answer = get(paged)

    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert get(paged, "/sandbox.css").headers["Content-Type"].startswith("text/css")


def test_a_trouble_is_ordered_and_the_browser_sent_back(paged: SandboxServer) -> None:
    form = {
        "kind": "fault",
        "operation": "profile.createPerson",
        "times": 2,
        "code": 4802,
        "sign": "-1",
        "moment": "after",
        "seconds": "7",
        "status": "",
        "place": "nowhere",
    }

    answer = submit(paged, "trouble", form)

    assert (answer.status, answer.headers["Location"]) == (303, "/?told=trouble")
    (one,) = waiting(paged)
    assert (one["kind"], one["service"], one["operation"]) == ("fault", "profile", "createPerson")
    assert (one["times"], one["code"], one["sign"], one["after"]) == (2, 4802, -1, True)
    page = get(paged, "/?told=trouble", Accept_Language="en").data.decode()
    assert TOLD["trouble"] in page
    assert "A fault with a code 4802" in page


@pytest.mark.parametrize("kind", CALL_KINDS)
@pytest.mark.parametrize("moment", ["", "before", "after"])
def test_every_trouble_of_a_call_can_be_ordered_as_the_form_sends_it(
    paged: SandboxServer, kind: str, moment: str
) -> None:
    form = {"kind": kind, "operation": "*", "times": "1", "moment": moment, "code": "1"}

    assert submit(paged, "trouble", form | {"place": "nowhere"}).status == 303

    assert [one["kind"] for one in waiting(paged)] == [kind]


@pytest.mark.parametrize("kind", NOTIFICATION_KINDS)
def test_every_trouble_of_a_notification_can_be_ordered(paged: SandboxServer, kind: str) -> None:
    form = {"kind": kind, "operation": "notification.prematchChanged", "times": "1", "seconds": ""}

    assert submit(paged, "notification-trouble", form).status == 303

    assert [(one["kind"], one["operation"]) for one in waiting(paged)] == [
        (kind, "prematchChanged")
    ]


def test_what_came_of_it_stands_on_the_page(paged: SandboxServer, endpoint: Endpoint) -> None:
    caller = Caller(paged)
    caller.call("createPerson", person=person("<b>P1</b>"))
    caller.refused("createPerson", person=person("<b>P1</b>"))
    paged.control.trouble("dropped")
    caller.call("createSchoolCredit", schoolCredit=school_credit())
    assert paged.control.wait_until_quiet()

    page = get(paged, Accept_Language="en").data.decode()

    assert "person:&lt;b&gt;P1&lt;/b&gt;" in page
    assert "<b>P1" not in page
    assert re.search(r">-?2626<", page)
    assert "Lost on its way, sent again later" in page
    assert page.count("specificationChanged</td>") == 2


def test_the_other_forms_do_what_they_say(paged: SandboxServer, endpoint: Endpoint) -> None:
    caller = Caller(paged)
    caller.call("createPerson", person=person())
    paged.control.trouble("cut", "getSchool")

    assert submit(paged, "link", {"key": " P1 ", "user": "u1"}).status == 303
    assert submit(paged, "unlink", {"key": "P1"}).status == 303
    assert submit(paged, "notify", {"operation": "prematchChanged", "key": "P1"}).status == 303
    assert submit(paged, "clear", {}).status == 303
    assert submit(paged, "hurry", {}).status == 303
    assert paged.control.wait_until_quiet()
    assert [text_of(body, "userID") for body in endpoint.bodies()][-1] is None
    assert waiting(paged) == []
    assert submit(paged, "sessions", {}).status == 303
    assert paged.control.state()["sessions"] == 0
    assert submit(paged, "reset", {"sure": "yes"}).status == 303
    assert paged.control.state()["persons"] == 0


@pytest.mark.parametrize(
    ("order", "form", "words"),
    [
        ("trouble", {}, "Choose what must go wrong"),
        ("trouble", {"kind": "earthquake", "times": "1"}, "Choose what must go wrong"),
        ("trouble", {"kind": "cut", "times": "many"}, "Number of times must be a number"),
        ("trouble", {"kind": "cut", "times": "0"}, "Number of times must be a number"),
        ("trouble", {"kind": "cut", "times": "9" * 20}, "cannot be ordered"),
        ("trouble", {"kind": "fault", "times": "1", "code": "x"}, "Code must be a number"),
        ("trouble", {"kind": "hang", "times": "1", "seconds": "-1"}, "Seconds must be a number"),
        ("trouble", {"kind": "hang", "times": "1", "seconds": "nan"}, "Seconds must be a number"),
        ("trouble", {"kind": "html", "times": "1", "status": "418"}, "status must be one of"),
        ("trouble", {"kind": "cut", "times": "1", "operation": "x.y"}, "cannot be ordered"),
        ("link", {"key": "nobody"}, "does not know nobody"),
        ("link", {"key": "  "}, "Fill in a key"),
        ("notify", {"operation": "prematchChanged", "key": "x"}, "does not know x"),
        ("notify", {"operation": "weather", "key": "x"}, "cannot be ordered"),
        ("reset", {}, "Tick that you are sure"),
    ],
)
def test_a_wrong_form_is_told_in_one_line_and_changes_nothing(
    paged: SandboxServer, order: str, form: dict[str, str], words: str
) -> None:
    before = paged.control.state()

    answer = submit(paged, order, form, Accept_Language="en")

    assert answer.status == 400
    (line,) = re.findall(r'<p class="wrong" role="alert">(.*?)</p>', answer.data.decode(), re.S)
    assert words in line
    assert "\n" not in line
    assert paged.control.state() == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "multipart/form-data"}, 415),
    ],
)
def test_a_form_of_another_page_is_refused(
    paged: SandboxServer, headers: dict[str, str], status: int
) -> None:
    Caller(paged).call("createPerson", person=person())

    assert submit(paged, "reset", {"sure": "yes"}, **headers).status == status

    assert paged.control.state()["persons"] == 1


def test_other_ways_in_are_closed(paged: SandboxServer) -> None:
    assert get(paged, Host="evil.example").status == 403
    assert get(paged, "/order/reset").status == 405
    assert submit(paged, "weather", {}).status == 404
    assert paged.control.state()["calls"] == 0


def test_the_page_has_a_word_for_everything(paged: SandboxServer) -> None:
    assert set(KIND_WORDS) == set(ALL_KINDS)
    assert set(STATE_WORDS) <= set(paged.control.state())
