"""A WSDL that does not fit says so at the start, by name, and nothing is sent."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from backoffice.eduix import contract
from backoffice.eduix.checks import check_partner, refuse_misfit, refuse_wrong_address
from backoffice.eduix.errors import EduixMisfit
from backoffice.eduix.fitting import Fit, fit_of
from tests.eduix import variants
from tests.eduix.variants import Dialect

ROOT = Path(__file__).resolve().parents[2]
PERSON = "//xs:complexType[@name='person']//*[@name='%s']"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def changed(folder: Path, change: Callable[[str], str], dialect: Dialect | None = None) -> str:
    """A profile WSDL whose text was changed, its schema inline."""
    path = variants.write("profile", folder, dialect or Dialect(files="inline"))
    path.write_text(change(path.read_text()))
    return str(path)


def without(folder: Path, *lost: str) -> Fit:
    return fit_of("profile", str(variants.write("profile", folder, Dialect(lost=lost))))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    fit = fit_of("profile", str(tmp_path / "none.wsdl"))

    assert fit.errors == [f"{tmp_path / 'none.wsdl'} cannot be read: No such file or directory."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no XML."),
        ("<definitions", "is no XML."),
        ("<html/>", "is no WSDL 1.1: it begins with html."),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "holds a DTD, which is refused."),
        ("\x00\x01", "is no XML."),
    ],
)
def test_what_is_no_wsdl_is_said(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.wsdl"
    path.write_text(text)

    fit = fit_of("profile", str(path))

    assert fit.errors == [f"{path} {words}"]


def test_a_schema_that_is_missing_is_named(tmp_path: Path) -> None:
    path = variants.write("profile", tmp_path, Dialect())
    (tmp_path / "profile-4.1.xsd").unlink()

    fit = fit_of("profile", str(path))

    assert len(fit.errors) == 1
    assert "profile-4.1.xsd cannot be read" in fit.errors[0]


def test_a_schema_on_another_host_is_not_fetched(tmp_path: Path) -> None:
    path = changed(
        tmp_path, lambda t: t.replace("profile-4.1.xsd", "http://x.example/a.xsd"), Dialect()
    )

    fit = fit_of("profile", path)

    assert "http://x.example/a.xsd, which lies elsewhere" in fit.errors[0]


def test_an_operation_that_lacks_is_named(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda t: t.replace('name="mergePerson"', 'name="joinPerson"'))

    assert fit_of("profile", path).errors == ["The WSDL has no operation mergePerson."]


def test_the_wsdl_of_the_other_service_is_told_by_its_operations(tmp_path: Path) -> None:
    fit = fit_of("profile", str(variants.write("credit", tmp_path, Dialect())))

    assert "The WSDL has no operation createPerson." in fit.errors


@pytest.mark.parametrize("version", ["soap12", "http"])
def test_a_wsdl_without_a_soap_11_port_is_refused(tmp_path: Path, version: str) -> None:
    path = changed(tmp_path, lambda t: t.replace("wsdl/soap/", f"wsdl/{version}/"))

    fit = fit_of("profile", path)

    assert len(fit.errors) == 1
    assert "SOAP 1.1" in fit.errors[0] or "cannot be understood" in fit.errors[0]


def test_rpc_is_refused_for_each_operation(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda t: t.replace('style="document"', 'style="rpc"'))

    fit = fit_of("profile", path)

    assert fit.errors
    assert all("document/literal" in line or "understood" in line for line in fit.errors)


def test_a_field_that_we_send_and_they_lack_is_named(tmp_path: Path) -> None:
    fit = without(tmp_path, PERSON % "surname")

    assert fit.errors[:2] == [
        "createPerson: person has no surname.",
        "getPerson: the answer has no surname in person.",
    ]


def test_what_only_edu_ix_writes_may_lack_in_a_request(tmp_path: Path) -> None:
    fit = without(tmp_path, PERSON % "userID", PERSON % "profileID")

    assert fit.errors == []
    assert fit.warnings == [
        "getPerson: the answer has no profileID in person.",
        "getPerson: the answer has no userID in person.",
    ]


def test_a_way_to_ask_that_lacks_is_a_warning(tmp_path: Path) -> None:
    fit = without(tmp_path, "//xs:element[@name='getPersonRequest']//*[@name='portal']")

    assert fit.errors == []
    assert fit.warnings == ["getPerson: getPerson has no portal."]


def test_a_session_without_its_number_is_named(tmp_path: Path) -> None:
    fit = without(tmp_path, "//xs:complexType[@name='sessionIDHeader']//*[@name='sessionID']")

    assert "createPerson: sessionIDHeader has no sessionID." in fit.errors


@pytest.mark.parametrize("where", ["person", "schoolperson"])
def test_a_required_element_that_nobody_knows_is_named(tmp_path: Path, where: str) -> None:
    new = f'<xs:complexType name="{where}"><xs:sequence><xs:element name="shoeSize" type="xs:int"/>'
    old = f'<xs:complexType name="{where}">'

    def change(text: str) -> str:
        head, tail = text.split(old, 1)
        return head + new + tail.split("<xs:sequence>", 1)[1]

    fit = fit_of("profile", changed(tmp_path, change))

    assert len(fit.errors) == 2
    assert fit.errors[0].endswith(f": {where} needs shoeSize, which is not known here.")


def test_an_optional_element_that_nobody_knows_is_fine(tmp_path: Path) -> None:
    fit = fit_of("profile", str(variants.write("profile", tmp_path, Dialect(extra=True))))

    assert (fit.errors, fit.warnings) == ([], [])


def test_what_is_optional_with_us_and_required_there_is_a_warning(tmp_path: Path) -> None:
    old = 'name="email" type="types:email" minOccurs="0"'
    path = changed(tmp_path, lambda t: t.replace(old, 'name="email" type="types:email"'))

    fit = fit_of("profile", path)

    assert fit.errors == []
    assert "createPerson: person needs email, which may be empty here." in fit.warnings


@contextmanager
def serving(
    answers: dict[str, tuple[int, dict[str, str], bytes]],
) -> Iterator[tuple[str, list[str]]]:
    """A server with these pages; also tells which were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def pages(folder: Path) -> dict[str, tuple[int, dict[str, str], bytes]]:
    variants.write("profile", folder, Dialect(files="folder"))
    return {
        f"/soap/{path.relative_to(folder)}": (200, {}, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_wsdl_and_its_schemas_are_fetched_from_an_address(tmp_path: Path) -> None:
    with serving(pages(tmp_path)) as (url, asked):
        fit = fit_of("profile", f"{url}/soap/profile.wsdl")

    assert (fit.errors, fit.warnings) == ([], [])
    assert len(asked) == 3


def test_a_proxy_of_the_environment_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    with serving(pages(tmp_path)) as (url, _asked):
        fit = fit_of("profile", f"{url}/soap/profile.wsdl")

    assert fit.errors == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b""), "cannot be fetched: HTTP 404."),
        ((302, {"Location": "/soap/profile.wsdl"}, b""), "redirects are not followed."),
        ((200, {}, b"<html/>"), "is no WSDL 1.1"),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "compressed"),
        ((200, {}, b"x" * (4 * 1024 * 1024 + 1)), "larger than"),
    ],
    ids=["404", "redirect", "html", "gzip", "large"],
)
def test_a_wsdl_that_cannot_be_fetched_is_one_line(
    answer: tuple[int, dict[str, str], bytes], words: str
) -> None:
    with serving({"/a": answer}) as (url, asked):
        fit = fit_of("profile", f"{url}/a")

    assert len(fit.errors) == 1
    assert words in fit.errors[0]
    assert f"{url}/a" in fit.errors[0]
    assert asked == ["/a"]


def test_a_schema_on_the_disk_is_not_read_for_a_wsdl_from_an_address(tmp_path: Path) -> None:
    text = variants.write("profile", tmp_path, Dialect()).read_bytes()
    local = text.replace(b"profile-4.1.xsd", (tmp_path / "profile-4.1.xsd").as_uri().encode())
    with serving({"/a": (200, {}, local)}) as (url, _asked):
        fit = fit_of("profile", f"{url}/a")

    assert "which lies elsewhere" in fit.errors[0]


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ("embedded", "https://distributor.edu-ix.nl/soap/4.1/profile"),
        ("embedded", "https://acc-distributor.edu-ix.nl/soap/4.1/profile"),
        ("embedded", ""),
        ("production", "http://127.0.0.1:8041/soap/4.1/profile"),
        ("production", "https://acc-distributor.edu-ix.nl/soap/4.1/profile"),
        ("production", "https://distributor.edu-ixstaging.nl/soap/4.1/profile"),
        ("production", "http://distributor.edu-ix.nl/soap/4.1/profile"),
        ("production", "https://user:secret@distributor.edu-ix.nl/"),
        ("acceptance", "https://distributor.edu-ix.nl/soap/4.1/profile"),
        ("acceptance", "https://distributor.edu-ix.nl.example.org/"),
    ],
)
def test_the_address_in_a_wsdl_must_suit_the_environment(environment: str, address: str) -> None:
    with pytest.raises(EduixMisfit, match="EDUIX_PROFILE_WSDL") as problem:
        refuse_wrong_address("profile", address, "x.wsdl", environment)

    assert "secret" not in problem.value.text
    assert f"BACKOFFICE_ENV={environment}" in problem.value.text


def test_the_address_of_the_wsdl_counts_when_none_is_set(tmp_path: Path, settings: Any) -> None:
    path = variants.write("profile", tmp_path, Dialect())
    settings.EDUIX_PROFILE_WSDL, settings.EDUIX_PROFILE_URL = str(path), ""

    [problem] = check_partner()

    assert problem.id == "eduix.E001"
    assert contract.production_address("profile") in problem.msg


def test_what_sends_refuses_to_start_with_a_line_for_each(tmp_path: Path, settings: Any) -> None:
    lost = (PERSON % "surname", PERSON % "firstName")
    settings.EDUIX_PROFILE_WSDL = str(variants.write("profile", tmp_path, Dialect(lost=lost)))

    with pytest.raises(SystemExit) as stop:
        refuse_misfit()

    lines = str(stop.value).splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("eduix.E001: profile: createPerson: person has no firstName.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["manage.py", "deliver", "--once"],
        ["manage.py", "check"],
        ["-c", "import backoffice.wsgi"],
        ["-m", "celery", "-A", "backoffice", "worker", "-P", "solo"],
    ],
    ids=["deliver", "check", "web server", "celery"],
)
def test_a_process_with_an_unusable_wsdl_does_not_start(
    tmp_path: Path, arguments: list[str]
) -> None:
    env = {
        **os.environ,
        "BACKOFFICE_VAR": str(tmp_path),
        "EDUIX_CREDIT_WSDL": str(tmp_path / "none.wsdl"),
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    }
    env.pop("DATABASE_URL", None)

    ended = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert ended.returncode != 0
    assert "none.wsdl" in ended.stderr
    assert "Traceback" not in ended.stderr
