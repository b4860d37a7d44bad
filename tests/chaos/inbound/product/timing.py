"""How long the check of a login takes, by what is wrong with it: a line of JSON each.

`-m tests.chaos.inbound.product.timing SAMPLES SEED`: nanoseconds per class, then the answers.
"""

from __future__ import annotations

import gc
import io
import json
import os
import random
import string
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402  Django is set up only now

from notifications.door import PATH, Door  # noqa: E402
from notifications.envelope import admitted  # noqa: E402
from notifications.faults import Refused  # noqa: E402
from notifications.login import current_logins  # noqa: E402
from tests.chaos.inbound.product.broken import prepare  # noqa: E402
from tests.notifications.sending import envelope  # noqa: E402

Pair = tuple[str, str]
SIGNS: Final = string.ascii_letters + string.digits
GOOD: Final = envelope("specification_accepted").decode()
WARM: Final = 500  # checks before the first that counts


def _other(sign: str, chance: random.Random) -> str:
    return chance.choice(SIGNS.replace(sign, ""))


def _bad_user(name: str, password: str, chance: random.Random) -> Pair:
    at = chance.randrange(len(name))
    return name[:at] + _other(name[at], chance) + name[at + 1 :], password


def _bad_first(name: str, password: str, chance: random.Random) -> Pair:
    return name, _other(password[0], chance) + password[1:]


def _bad_last(name: str, password: str, chance: random.Random) -> Pair:
    return name, password[:-1] + _other(password[-1], chance)


def _right_length(name: str, password: str, chance: random.Random) -> Pair:
    return name, "".join(chance.choices(SIGNS, k=len(password)))


CLASSES: Final[Mapping[str, Callable[[str, str, random.Random], Pair]]] = {
    "bad user": _bad_user,
    "bad first byte": _bad_first,
    "bad last byte": _bad_last,
    "right length": _right_length,
}


def measured(samples: int, chance: random.Random) -> dict[str, list[int]]:
    """The classes in random turn.

    Both strings of each sample are read from bytes just before, as at the door: where a string
    lies, and whether it was used a moment ago, makes more of a difference than what we look for.
    """
    [(name, password)] = settings.NOTIFICATION_CREDENTIALS
    logins = current_logins()
    turns = [kind for kind in CLASSES for _ in range(samples)]
    chance.shuffle(turns)
    told: list[tuple[str, bytes, bytes]] = []
    for kind in turns:
        user, word = CLASSES[kind](name, password, chance)
        told.append((kind, user.encode(), word.encode()))
    found: dict[str, list[int]] = {kind: [] for kind in CLASSES}
    clock = time.perf_counter_ns
    gc.collect()
    gc.disable()
    for number, (kind, raw_user, raw_word) in enumerate([*told[:WARM], *told], -WARM):
        user, word = raw_user.decode(), raw_word.decode()
        begun = clock()
        try:
            admitted(user, word, logins)
        except Refused:
            took = clock() - begun
        else:
            raise AssertionError(f"{kind} was let in")
        if number >= 0:
            found[kind].append(took)
    gc.enable()
    return found


def answers(chance: random.Random) -> list[list[str]]:
    """Status, headers and body that each class gets at the door."""
    [(name, password)] = settings.NOTIFICATION_CREDENTIALS
    door = Door(lambda _environ, _start: [b""])
    return [_answer(door, *change(name, password, chance)) for change in CLASSES.values()]


def _answer(door: Door, name: str, password: str) -> list[str]:
    before, _, rest = GOOD.partition("<n:username>")
    after = rest.partition("</n:password>")[2]
    login = f"<n:username>{name}</n:username><n:password>{password}</n:password>"
    body = f"{before}{login}{after}".encode()
    said: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        said.extend([status, repr(headers)])

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "text/xml",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }
    answered = b"".join(door(environ, start)).decode()
    return [*said, answered]


if __name__ == "__main__":
    prepare()
    seeded = random.Random(int(sys.argv[2]))  # noqa: S311
    print(json.dumps(measured(int(sys.argv[1]), seeded)), flush=True)
    print(json.dumps(answers(seeded)), flush=True)
