"""Who may deliver."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from notifications.faults import Refused
from notifications.peers import admit, canonical, networks, peer_of


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.BACKOFFICE_ENV = "production"
    settings.ALLOWED_HOSTS = ["kantoor.example.nl"]
    settings.BACKOFFICE_TRUSTED_PROXIES = ["10.0.0.5", "10.0.0.6"]


def environ(**more: Any) -> dict[str, Any]:
    return {
        "HTTP_HOST": "kantoor.example.nl",
        "REMOTE_ADDR": "10.0.0.5",
        "wsgi.url_scheme": "http",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_FOR": "198.51.100.7",
        **more,
    }


def source_of(environ: dict[str, Any]) -> str:
    peer = peer_of(environ)
    admit(environ, peer)
    return peer.source


def status_of(environ: dict[str, Any]) -> int:
    with pytest.raises(Refused) as refusal:
        admit(environ, peer_of(environ))
    return refusal.value.answer.status


@pytest.mark.parametrize(
    ("forwarded_for", "source"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7, 10.0.0.6", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "10.0.0.5"),
        ("10.0.0.6", "10.0.0.5"),
        ("nonsense", ""),
    ],
)
def test_the_sender_is_the_nearest_address_that_is_no_proxy_of_ours(
    forwarded_for: str, source: str
) -> None:
    assert source_of(environ(HTTP_X_FORWARDED_FOR=forwarded_for)) == source


def test_a_stranger_cannot_pose_as_another_address(settings: Settings) -> None:
    settings.NOTIFICATION_ALLOWED_IPS = ["198.51.100.7"]
    stranger = {"REMOTE_ADDR": "203.0.113.1", "wsgi.url_scheme": "https"}

    assert source_of(environ()) == "198.51.100.7"
    assert status_of(environ(**stranger)) == 403


def test_a_sender_whose_address_cannot_be_told_is_on_no_list(settings: Settings) -> None:
    settings.NOTIFICATION_ALLOWED_IPS = ["0.0.0.0/0"]

    assert status_of(environ(HTTP_X_FORWARDED_FOR="nonsense")) == 403


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"HTTP_X_FORWARDED_PROTO": "http"}, 403),
        ({"HTTP_X_FORWARDED_PROTO": "https, http"}, 403),
        ({"HTTP_X_FORWARDED_PROTO": ""}, 403),
        ({"REMOTE_ADDR": "203.0.113.1"}, 403),
        ({"HTTP_HOST": "evil.example"}, 400),
        ({"HTTP_HOST": "kantoor.example.nl:bad"}, 400),
        ({"HTTP_HOST": "", "SERVER_NAME": "127.0.0.1"}, 400),
        ({"HTTP_X_FORWARDED_HOST": "kantoor.example.nl", "HTTP_HOST": "evil.example"}, 400),
    ],
)
def test_who_is_refused(changed: dict[str, Any], status: int) -> None:
    assert status_of(environ(**changed)) == status


def test_the_port_does_not_matter_for_the_host() -> None:
    assert source_of(environ(HTTP_HOST="KANTOOR.example.nl:8443")) == "198.51.100.7"


def test_a_setting_that_is_no_network_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        networks(("nonsense",))


def test_what_is_no_address_is_stored_as_nothing() -> None:
    assert canonical("fe80::1%eth0") == "fe80::1"
    assert canonical("unix:") == ""
