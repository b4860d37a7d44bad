"""Which partner belongs to which environment: no test data in production, and the reverse.

Used for the addresses of the environment, for the `soap:address` of another WSDL, and for the place
a WSDL is fetched from. Knows neither Django nor XML: the settings read it first.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

PRODUCTION_HOST: Final = "distributor.edu-ix.nl"
ACCEPTANCE_HOST: Final = "acc-distributor.edu-ix.nl"
PARTNER_DOMAINS: Final = ("edu-ix.nl", "edu-ixstaging.nl")


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine: localhost, ::1 or in 127.0.0.0/8."""
    name = host.strip().removeprefix("[").removesuffix("]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False  # 127.example.nl is a name, and may lead anywhere
    if isinstance(address, ipaddress.IPv6Address):
        return address == ipaddress.IPv6Address("::1")
    return address.is_loopback


def wrong_address(address: str, environment: str) -> str:
    """Why this address may not be used in the environment; empty when it may.

    Reads on behind the name of the setting: "must be a loopback address …".
    """
    try:
        parts = urlsplit(address)
        host, _ = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return "must be an http(s) address."
    if parts.scheme not in {"http", "https"} or not host:
        return "must be an http(s) address."
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password."
    loopback = is_loopback(host)
    if environment == "embedded":
        return "" if loopback else "must be a loopback address in the embedded default."
    if loopback or parts.scheme != "https":
        return f"must be an https address of Edu-iX in {environment}."
    if not any(host == domain or host.endswith(f".{domain}") for domain in PARTNER_DOMAINS):
        domains = " or ".join(PARTNER_DOMAINS)
        return f"must be a host of Edu-iX, in {domains}, not {host}."
    if environment == "production" and is_for_tests(host):
        return "points at acceptance while BACKOFFICE_ENV is production."
    if environment == "acceptance" and host == PRODUCTION_HOST:
        return "points at production while BACKOFFICE_ENV is acceptance."
    return ""


def is_for_tests(host: str) -> bool:
    """Whether a host of Edu-iX is one of its test environments."""
    first = host.partition(".")[0]
    return first.startswith(("acc-", "ketentest-")) or host.endswith("edu-ixstaging.nl")
