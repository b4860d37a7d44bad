"""Checking the name and password of a delivery, in microseconds and in constant time.

A password hasher would cost a quarter of a second a delivery and so be a way to stop us; the
secrets are long and random, so one keyed digest with a key of this process is enough. BLAKE2 and
not HMAC: between two documents OpenSSL's code has left the cache, and took 15 µs instead of 3.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

_KEY: Final = secrets.token_bytes(32)


def _digest(username: str, password: str) -> bytes:
    # The length goes first: "ab" with "c" is another pair than "a" with "bc".
    text = f"{len(username)}:{username}{password}".encode()
    return hashlib.blake2b(text, key=_KEY, digest_size=32).digest()


class KnownUser(str):
    """A configured user name; `key` tells which pair: both may have the same name.

    The key is made with our SECRET_KEY, so it can stand in the database: nobody can try passwords
    against it.
    """

    key: str

    def __new__(cls, name: str, password: str) -> KnownUser:
        """Of one pair of the setting."""
        made = super().__new__(cls, name)
        text = f"{len(name.strip())}:{name.strip()}{password.strip()}"
        made.key = salted_hmac("notifications.login", text, algorithm="sha256").hexdigest()[:16]
        return made


@lru_cache(maxsize=4)
def _accepted(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[bytes, KnownUser], ...]:
    # What comes in is trimmed, so what it is compared with is trimmed too.
    return tuple(
        (_digest(name.strip(), word.strip()), KnownUser(name, word)) for name, word in pairs
    )


class Logins:
    """The pairs that may deliver: two while one is being replaced by the other."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._accepted = _accepted(tuple((name, word) for name, word in pairs))

    def __bool__(self) -> bool:
        return bool(self._accepted)

    @property
    def users(self) -> tuple[KnownUser, ...]:
        """The names, in the order of the setting."""
        return tuple(user for _digest_of_pair, user in self._accepted)

    def user_of(self, username: str, password: str) -> KnownUser | None:
        """The configured user name, or None; the time tells nothing about which half was wrong.

        One digest over both halves and one comparison with every pair, whatever the name.
        """
        told = _digest(username, password)
        user = None
        for digest, name in self._accepted:
            if hmac.compare_digest(told, digest):
                user = name
        return user


def current_logins() -> Logins:
    """The pairs of `NOTIFICATION_CREDENTIALS`."""
    return _logins(*settings.NOTIFICATION_CREDENTIALS)


@lru_cache(maxsize=4)
def _logins(*pairs: tuple[str, str]) -> Logins:
    return Logins(pairs)
