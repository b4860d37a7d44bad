"""The environment: every name the product reads, its default, and the refusal of all others.

One table, `NAMES`, is the source for the settings, for the README's table (a test keeps the two
equal) and for the check that refuses a misspelt name: `EDUIX_PASWORD` must stop the start, not
silently leave the password empty.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from backoffice.eduix.addresses import is_loopback as is_loopback  # the settings ask for it here

PREFIXES = ("EDUIX_", "BACKOFFICE_", "NOTIFICATION_")


class BadEnvironment(Exception):
    """A setting that must stop the start: one line that says what is wrong and what to do."""


@dataclass(frozen=True)
class Name:
    """One environment name with the words of the README's table."""

    name: str
    default: str
    meaning: str


NAMES: tuple[Name, ...] = (
    Name("BACKOFFICE_ENV", "embedded", "embedded, acceptance or production"),
    Name("BACKOFFICE_VAR", "var/", "folder for the database, the generated secrets and job files"),
    Name("BACKOFFICE_PORT", "8000", "port the web server of `make demo` listens on"),
    Name(
        "BACKOFFICE_PUBLIC_URL",
        "http://127.0.0.1:<port>",
        "address under which Edu-iX and colleagues reach us; stands in the WSDL and in our mail",
    ),
    Name(
        "BACKOFFICE_TRUSTED_PROXIES",
        "none",
        "addresses of proxies whose X-Forwarded headers are believed, separated by commas",
    ),
    Name(
        "BACKOFFICE_METRICS_IPS",
        "127.0.0.0/8,::1",
        "addresses or networks that may read /metrics",
    ),
    Name(
        "BACKOFFICE_RETENTION_DAYS", "400", "days that bodies of calls and notifications are kept"
    ),
    Name(
        "BACKOFFICE_ALLOW_SQLITE",
        "0",
        "1 allows SQLite outside the embedded environment; logged at every start",
    ),
    Name(
        "BACKOFFICE_ALLOW_PASSWORD_ONLY",
        "0",
        "1 allows production without a second factor; logged at every start",
    ),
    Name(
        "BACKOFFICE_BIND_PROCESSORS",
        "1",
        "keeps each web process and `manage.py deliver` to a processor of its own: faster; "
        "0 lets them wander",
    ),
    Name("DATABASE_URL", "SQLite under var/", "postgres://user:password@host/name in production"),
    Name("CELERY_BROKER_URL", "none", "redis:// or amqp://; without it `manage.py deliver` sends"),
    Name("SECRET_KEY", "generated in var/", "at least 50 characters; required outside embedded"),
    Name("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "host names we answer to; never *"),
    Name("DEBUG", "0", "1 shows tracebacks; refused on anything but loopback"),
    Name("EMAIL_URL", "consolemail://", "smtp://user:password@host:port for real mail"),
    Name(
        "BACKOFFICE_DIGEST_AT",
        "07:00",
        "local time of the daily mail to account managers; empty: no mail",
    ),
    Name(
        "BACKOFFICE_MAIL_FROM",
        "back-office@<first of ALLOWED_HOSTS>",
        "sender of our mail",
    ),
    Name(
        "EDUIX_PROFILE_URL",
        "by BACKOFFICE_ENV",
        "address of the Profile 4.1 service; not given beside EDUIX_PROFILE_WSDL, that file's own",
    ),
    Name(
        "EDUIX_CREDIT_URL",
        "by BACKOFFICE_ENV",
        "address of the Credit 4.1 service; not given beside EDUIX_CREDIT_WSDL, that file's own",
    ),
    Name("EDUIX_PROFILE_WSDL", "bundled", "file or URL of another WSDL for Profile 4.1"),
    Name("EDUIX_CREDIT_WSDL", "bundled", "file or URL of another WSDL for Credit 4.1"),
    Name("EDUIX_USERNAME", "demo", "our user name at Edu-iX; required outside embedded"),
    Name("EDUIX_PASSWORD", "generated in var/", "our password; required outside embedded"),
    Name("EDUIX_DISTRIBUTOR_ID", "1001", "our distributorID; required outside embedded"),
    Name("EDUIX_CONNECTIONS", "16", "calls in flight per sending process"),
    Name("EDUIX_SESSION_MINUTES", "20", "minutes after which a session is renewed"),
    Name(
        "EDUIX_LEASE_SECONDS",
        "100",
        "seconds after which a message in flight counts as left behind by a vanished worker",
    ),
    Name("EDUIX_SANDBOX_PORT", "8041", "port of the embedded sandbox"),
    Name(
        "NOTIFICATION_CREDENTIALS",
        "generated in var/",
        "user:password[,user:password]; %2C and %3A stand for comma and colon; outside embedded a "
        "password has at least 16 characters",
    ),
    Name("NOTIFICATION_ALLOWED_IPS", "any", "addresses or networks that may deliver notifications"),
    Name("TEST_DATABASE_URL", "none", "PostgreSQL database for the tests"),
    Name("REQUIRE_SERVICES", "0", "1 makes a test fail where it would skip for want of a service"),
)


def refuse_unknown_names(environ: Mapping[str, str]) -> None:
    """Raises `BadEnvironment` for a name with one of our prefixes that nobody reads."""
    known = {name.name for name in NAMES}
    for name in sorted(environ):
        if name.startswith(PREFIXES) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else " The README lists all names."
            raise BadEnvironment(f"Unknown environment name {name}.{hint}")


def credentials(text: str) -> list[tuple[str, str]]:
    """`user:password[,user:password]` as pairs (docs/decisions/0004); one or two of them.

    Raises `BadEnvironment` without repeating the text: it holds passwords.
    """
    pairs = []
    for part in text.split(","):
        user, colon, password = part.partition(":")
        if not colon or not user.strip() or not password:
            raise BadEnvironment(
                "NOTIFICATION_CREDENTIALS must read user:password[,user:password], "
                "with %2C for a comma and %3A for a colon inside."
            )
        pairs.append((unquote(user.strip()), unquote(password)))
    if len(pairs) > 2:
        raise BadEnvironment("NOTIFICATION_CREDENTIALS holds more than two pairs; two are in use.")
    for user, password in pairs:
        if len(user) > 100 or len(password) > 64:
            raise BadEnvironment(
                "NOTIFICATION_CREDENTIALS: a user name has at most 100 and a password at most "
                "64 characters in the Edu-iX contract."
            )
    return pairs


def usable_folder(path: Path) -> Path:
    """The folder for generated files, made when missing; raises `BadEnvironment` when it cannot."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise BadEnvironment(
            f"The folder {path} cannot be written ({problem.strerror}). "
            "Make it writable for this user or set BACKOFFICE_VAR."
        ) from problem
    return path


def generated_secret(path: Path, *, length: int = 48) -> str:
    """A secret that is made once and kept in a file with mode 0600.

    Raises `BadEnvironment` when the file cannot be read or others may read it: a secret that
    leaked must not be used silently.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept_secret(path)
    except OSError as problem:
        raise BadEnvironment(f"{path} cannot be written ({problem.strerror}).") from problem
    secret = secrets.token_urlsafe(length)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    return secret


def _kept_secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode & 0o777
        secret = path.read_text().strip()
        for _ in range(50):  # another process may have made the file and not yet filled it
            if secret:
                break
            time.sleep(0.02)
            secret = path.read_text().strip()
    except OSError as problem:
        raise BadEnvironment(f"{path} cannot be read ({problem.strerror}).") from problem
    if mode & 0o077:
        raise BadEnvironment(f"{path} may be read by others (mode {mode:o}); run: chmod 600 {path}")
    if not secret:
        raise BadEnvironment(f"{path} is empty; delete it and start again.")
    return secret


def networks(name: str, addresses: list[str]) -> list[str]:
    """Addresses or networks as given; raises `BadEnvironment` for one that is neither."""
    for address in addresses:
        try:
            ipaddress.ip_network(address.strip(), strict=False)
        except ValueError:
            raise BadEnvironment(
                f"{name} holds {address.strip()!r}, which is no address or network "
                "such as 192.0.2.7 or 192.0.2.0/24."
            ) from None
    return [address.strip() for address in addresses]
