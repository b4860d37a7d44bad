"""Who is calling: address, scheme and host, and whether they may deliver.

A forwarded header counts only when the connection itself comes from a proxy of ours: anybody can
write `X-Forwarded-For`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from notifications.faults import Reason, refused

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Peer(NamedTuple):
    """The sender: its address ("" when it cannot be told) and the scheme it used."""

    source: str
    scheme: str


def peer_of(environ: Mapping[str, Any]) -> Peer:
    """Who is calling, as far as we believe it."""
    trusted = networks(tuple(settings.BACKOFFICE_TRUSTED_PROXIES))
    address = str(environ.get("REMOTE_ADDR", ""))
    scheme = str(environ.get("wsgi.url_scheme", "http"))
    if not _stands_in(address, trusted):
        return Peer(canonical(address), scheme)
    forwarded = _client(environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
    return Peer(
        canonical(forwarded or address),
        _last(environ.get("HTTP_X_FORWARDED_PROTO", "")) or scheme,
    )


def admit(environ: Mapping[str, Any], peer: Peer) -> None:
    """Raises `Refused` for another host (400), plain http or an address not on the list (403)."""
    host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
    if not _is_ours(host, tuple(settings.ALLOWED_HOSTS)):
        raise refused(400, Reason.HOST, "This host name is not served here.")
    if peer.scheme != "https" and settings.BACKOFFICE_ENV != "embedded":
        raise refused(403, Reason.PLAIN_HTTP, "Notifications are accepted over https only.")
    allowed = networks(tuple(settings.NOTIFICATION_ALLOWED_IPS))
    if allowed and not _stands_in(peer.source, allowed):
        raise refused(403, Reason.ADDRESS, "This address may not deliver notifications.")


@lru_cache(maxsize=16)
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Addresses and networks of a setting; raises `ValueError` for anything else."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts)


@lru_cache(maxsize=256)
def canonical(address: str) -> str:
    """An address as it is stored: IPv4 inside IPv6 is IPv4; "" for what is no address."""
    found = _parsed(address)
    return str(found) if found else ""


@lru_cache(maxsize=256)
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address.strip().strip("[]"))
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        return found.ipv4_mapped or ipaddress.IPv6Address(int(found))  # without a zone
    return found


@lru_cache(maxsize=1024)
def _stands_in(address: str, allowed: tuple[Network, ...]) -> bool:
    found = _parsed(address)
    return found is not None and any(found in network for network in allowed)


@lru_cache(maxsize=256)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, list(allowed))


def _last(header: str) -> str:
    """The element that the nearest proxy wrote."""
    return header.rpartition(",")[2].strip().lower()


def _client(forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """The nearest address that is not a proxy of ours; whatever stands before it is hearsay."""
    for address in reversed(forwarded_for.split(",")):
        if address.strip() and not _stands_in(address.strip(), trusted):
            return address.strip()
    return ""
