"""From environment names to settings; wrong values are refused in one line each.

Fails closed: what a setting needs to be safe is asked for, never assumed.
"""

from __future__ import annotations

import os
import re
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from backoffice import env as environment
from backoffice.eduix.addresses import ACCEPTANCE_HOST, PRODUCTION_HOST, wrong_address
from backoffice.env import BadEnvironment

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

LEAST_PASSWORD = 16  # of who delivers notifications: one fast digest guards it, so it is long


def read_environment() -> dict[str, Any]:
    """Settings that depend on the environment; raises `BadEnvironment`."""
    environment.refuse_unknown_names(os.environ)
    name = env.str("BACKOFFICE_ENV", "embedded")
    if name not in {"embedded", "acceptance", "production"}:
        raise BadEnvironment(
            f"BACKOFFICE_ENV is {name!r}; it must be embedded, acceptance or production."
        )
    embedded = name == "embedded"
    var = environment.usable_folder(Path(env.str("BACKOFFICE_VAR", str(BASE_DIR / "var"))))
    settings: dict[str, Any] = {"BACKOFFICE_ENV": name, "BACKOFFICE_VAR": var}
    settings |= _web(embedded=embedded, var=var)
    settings |= _database(embedded=embedded, var=var)
    settings |= _partner(name=name, var=var)
    settings |= _notifications(embedded=embedded, var=var)
    settings |= _mail(host=settings["ALLOWED_HOSTS"][0])
    if settings["DEBUG"]:
        _refuse_public_debug(settings)
    return settings


def _number(name: str, default: int, *, least: int, most: int) -> int:
    text = env.str(name, str(default))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise BadEnvironment(f"{name} is {text!r}; it must be a number from {least} to {most}.")
    return int(text)


def _switch(name: str, *, default: bool = False) -> bool:
    text = env.str(name, "1" if default else "0").lower()
    if text not in {"0", "1", "true", "false", ""}:
        raise BadEnvironment(f"{name} is {text!r}; it must be 0 or 1.")
    return text in {"1", "true"}


def _web(*, embedded: bool, var: Path) -> dict[str, Any]:
    hosts = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
    if any(host == "*" or host.startswith(".") for host in hosts):
        raise BadEnvironment("ALLOWED_HOSTS names each host in full; * and .domain are refused.")
    if embedded and not all(environment.is_loopback(host) for host in hosts):
        raise BadEnvironment(
            "ALLOWED_HOSTS names a public host while BACKOFFICE_ENV is embedded; "
            "choose acceptance or production."
        )
    if not embedded and all(environment.is_loopback(host) for host in hosts):
        raise BadEnvironment("ALLOWED_HOSTS must name the public host outside embedded.")
    key = env.str("SECRET_KEY", "")
    if not key and embedded:
        key = environment.generated_secret(var / "secret-key")
    if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-"):
        raise BadEnvironment("SECRET_KEY must be given: at least 50 characters, made at random.")
    port = _number("BACKOFFICE_PORT", 8000, least=1, most=65535)
    public = env.str("BACKOFFICE_PUBLIC_URL", f"http://127.0.0.1:{port}" if embedded else "")
    if urlsplit(public).scheme not in ({"http", "https"} if embedded else {"https"}):
        raise BadEnvironment(
            "BACKOFFICE_PUBLIC_URL must be the https address Edu-iX reaches us on."
        )
    proxies = environment.networks(
        "BACKOFFICE_TRUSTED_PROXIES", env.list("BACKOFFICE_TRUSTED_PROXIES", default=[])
    )
    return {
        "ALLOWED_HOSTS": hosts,
        "SECRET_KEY": key,
        "DEBUG": _switch("DEBUG"),
        "BACKOFFICE_PORT": port,
        "BACKOFFICE_PUBLIC_URL": public.rstrip("/"),
        "BACKOFFICE_TRUSTED_PROXIES": proxies,
        "BACKOFFICE_METRICS_IPS": environment.networks(
            "BACKOFFICE_METRICS_IPS",
            env.list("BACKOFFICE_METRICS_IPS", default=["127.0.0.0/8", "::1"]),
        ),
        "BACKOFFICE_RETENTION_DAYS": _number("BACKOFFICE_RETENTION_DAYS", 400, least=1, most=3650),
        "BACKOFFICE_ALLOW_PASSWORD_ONLY": _switch("BACKOFFICE_ALLOW_PASSWORD_ONLY"),
        "BACKOFFICE_BIND_PROCESSORS": _switch("BACKOFFICE_BIND_PROCESSORS", default=True),
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if proxies else None,
        "SECURE_SSL_REDIRECT": not embedded,
        "SECURE_HSTS_SECONDS": 0 if embedded else 31_536_000,
        "SESSION_COOKIE_SECURE": not embedded,
        "CSRF_COOKIE_SECURE": not embedded,
        "SESSION_COOKIE_NAME": "sessionid" if embedded else "__Host-sessionid",
        "CSRF_COOKIE_NAME": "csrftoken" if embedded else "__Host-csrftoken",
    }


def _database(*, embedded: bool, var: Path) -> dict[str, Any]:
    if not env.str("DATABASE_URL", "none").strip():
        raise BadEnvironment(
            "DATABASE_URL is empty; leave it out for SQLite under var/, or write "
            "postgres://user:password@host/name."
        )
    try:
        database = env.db_url("DATABASE_URL", default=f"sqlite:///{var / 'db.sqlite3'}")
    except (ValueError, environ.ImproperlyConfigured) as problem:
        raise BadEnvironment(
            "DATABASE_URL cannot be read; it looks like postgres://user:password@host/name."
        ) from problem
    engine = str(database["ENGINE"])
    test: dict[str, str] = {}
    options = dict(database.get("OPTIONS") or {})
    if engine.endswith("sqlite3"):
        if not embedded and not _switch("BACKOFFICE_ALLOW_SQLITE"):
            raise BadEnvironment(
                "DATABASE_URL must name PostgreSQL outside embedded "
                "(or set BACKOFFICE_ALLOW_SQLITE=1)."
            )
        # A file, because threads and processes of a test must see one database.
        test = {"NAME": str(var / f"test-{os.getpid()}.sqlite3")}
        # FULL with WAL is the cheapest setting that keeps an acknowledged commit through a power
        # cut; IMMEDIATE takes the write lock at the start, so a transaction never dies half-way.
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            ),
        }
    elif engine.endswith("postgresql"):
        options.setdefault(
            "options",
            "-c statement_timeout=15000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=30000",
        )
        if not embedded and not _is_local_database(database):
            options.setdefault("sslmode", "verify-full")
    else:
        raise BadEnvironment("DATABASE_URL must name PostgreSQL (or SQLite when embedded).")
    return {
        "DATABASES": {
            "default": {
                **database,
                "OPTIONS": options,
                "TEST": test,
                "CONN_MAX_AGE": 60,
                "CONN_HEALTH_CHECKS": True,
                "ATOMIC_REQUESTS": False,  # with IMMEDIATE every page would hold the write lock
            }
        }
    }


def _is_local_database(database: dict[str, Any]) -> bool:
    """Whether no part of the address leads to another machine; a service file may, so it counts.

    The driver takes the host from behind the question mark too, and where nothing names one, from
    its own environment names.
    """
    options = database.get("OPTIONS") or {}
    named = [database.get("HOST"), options.get("host"), options.get("hostaddr")]
    service = options.get("service")
    if database["ENGINE"].endswith("postgresql") and not any(named):
        named = [os.environ.get("PGHOST"), os.environ.get("PGHOSTADDR")]
        service = service or os.environ.get("PGSERVICE")
    hosts = [host for name in named if name for host in str(name).split(",")]
    # A path is a socket of this machine.
    return not service and all(h.startswith("/") or environment.is_loopback(h) for h in hosts)


def _partner(*, name: str, var: Path) -> dict[str, Any]:
    embedded = name == "embedded"
    sandbox_port = _number("EDUIX_SANDBOX_PORT", 8041, least=1, most=65535)
    base = {
        "embedded": f"http://127.0.0.1:{sandbox_port}",
        "acceptance": f"https://{ACCEPTANCE_HOST}",
        "production": f"https://{PRODUCTION_HOST}",
    }[name]
    settings: dict[str, Any] = {
        "EDUIX_CONNECTIONS": _number("EDUIX_CONNECTIONS", 16, least=1, most=256),
        "EDUIX_SESSION_MINUTES": _number("EDUIX_SESSION_MINUTES", 20, least=1, most=1440),
        # Three calls of at most 30 s each, and some air.
        "EDUIX_LEASE_SECONDS": _number("EDUIX_LEASE_SECONDS", 100, least=1, most=3600),
        "EDUIX_SANDBOX_PORT": sandbox_port,
    }
    for service in ("PROFILE", "CREDIT"):
        settings |= _service_addresses(service, f"{base}/soap/4.1/{service.lower()}", name)
    settings["EDUIX_USERNAME"] = env.str("EDUIX_USERNAME", "demo" if embedded else "")
    password = env.str("EDUIX_PASSWORD", "")
    if not password and embedded:
        password = environment.generated_secret(var / "eduix-password", length=24)
    settings["EDUIX_PASSWORD"] = password
    if not settings["EDUIX_USERNAME"] or not password:
        raise BadEnvironment("EDUIX_USERNAME and EDUIX_PASSWORD are required outside embedded.")
    if not embedded and not env.str("EDUIX_DISTRIBUTOR_ID", ""):
        raise BadEnvironment("EDUIX_DISTRIBUTOR_ID is required outside embedded.")
    settings["EDUIX_DISTRIBUTOR_ID"] = _number(
        "EDUIX_DISTRIBUTOR_ID", 1001, least=1, most=9_999_999_999
    )
    return settings


def _service_addresses(service: str, default: str, environment_name: str) -> dict[str, str]:
    """Address and WSDL of one service; with another WSDL and no address, its own one counts.

    That one is held against the environment when the WSDL is read (`eduix.checks`).
    """
    wsdl = env.str(f"EDUIX_{service}_WSDL", "").strip()
    address = env.str(f"EDUIX_{service}_URL", "" if wsdl else default).strip()
    given = {}
    if address or not wsdl:
        given[f"EDUIX_{service}_URL"] = address
    if "://" in wsdl:
        given[f"EDUIX_{service}_WSDL"] = wsdl
    for name, one in given.items():
        if wrong := wrong_address(one, environment_name):
            raise BadEnvironment(f"{name} {wrong}")
    return {f"EDUIX_{service}_URL": address, f"EDUIX_{service}_WSDL": wsdl}


def _notifications(*, embedded: bool, var: Path) -> dict[str, Any]:
    text = env.str("NOTIFICATION_CREDENTIALS", "")
    if not text and embedded:
        secret = environment.generated_secret(var / "notification-password", length=24)
        text = f"eduix:{secret}"
    pairs = environment.credentials(text) if text else []
    if not embedded and any(len(word.strip()) < LEAST_PASSWORD for _name, word in pairs):
        raise BadEnvironment(
            f"NOTIFICATION_CREDENTIALS holds a password of fewer than {LEAST_PASSWORD} characters; "
            "the endpoint is open to the internet, so make it at random."
        )
    return {
        # Empty outside embedded: the endpoint then answers 503 to all, never "let everybody in".
        "NOTIFICATION_CREDENTIALS": pairs,
        "NOTIFICATION_ALLOWED_IPS": environment.networks(
            "NOTIFICATION_ALLOWED_IPS", env.list("NOTIFICATION_ALLOWED_IPS", default=[])
        ),
    }


def _mail(*, host: str) -> dict[str, Any]:
    at = env.str("BACKOFFICE_DIGEST_AT", "07:00").strip()
    if at and not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", at):
        raise BadEnvironment(
            f"BACKOFFICE_DIGEST_AT is {at!r}; it must be a time such as 07:00, or empty."
        )
    sender = env.str("BACKOFFICE_MAIL_FROM", f"back-office@{host}").strip()
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", sender):
        raise BadEnvironment(f"BACKOFFICE_MAIL_FROM is {sender!r}; it must be one mail address.")
    return {
        "BACKOFFICE_DIGEST_AT": time.fromisoformat(at) if at else None,
        "DEFAULT_FROM_EMAIL": sender,
    }


def _refuse_public_debug(settings: dict[str, Any]) -> None:
    hosts = settings["ALLOWED_HOSTS"]
    database = settings["DATABASES"]["default"]
    if not all(environment.is_loopback(host) for host in hosts):
        raise BadEnvironment("DEBUG=1 is refused while ALLOWED_HOSTS names a public host.")
    if not _is_local_database(database):
        raise BadEnvironment("DEBUG=1 is refused with a database on another machine.")
