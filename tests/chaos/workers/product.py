"""The product loaded once; each job runs in a fork of it, so that it may be killed at any moment.

A line of JSON on standard input asks for a job: "run" waits for it, "start" does not. A job and
the patches before it are functions of the modules beside this one, named "module:function".
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.db import connections  # noqa: E402  after Django is set up

from backoffice.eduix.gateway import default_gateway  # noqa: E402

PACKAGE: Final = __package__ or "tests.chaos.workers"


def main() -> None:
    """Answer questions until there are no more."""
    # Read once for all forks.
    default_gateway()
    for name in ("rows", "sending", "crashing"):
        importlib.import_module(f"{PACKAGE}.{name}")
    gc.freeze()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        _reap()
        answer = _run(question) if question["do"] == "run" else {"pid": _fork(question)}
        print(json.dumps(answer), flush=True)


def _run(question: Mapping[str, Any]) -> dict[str, object]:
    """Its exit status, negative for a signal, and what it returned."""
    reading, writing = os.pipe()
    pid = _fork(question, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "answer": json.loads(told) if told else None,
    }


def _fork(question: Mapping[str, Any], pipe: int | None = None) -> int:
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # what it prints must not stand between our answers
        answer = _do(question)
        if pipe is not None:
            os.write(pipe, json.dumps(answer).encode())
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # the border of the process
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


def _do(question: Mapping[str, Any]) -> object:
    for name, arguments in question["patches"]:
        _function(name)(**arguments)
    return _function(question["job"])(**question["arguments"])


def _function(name: str) -> Callable[..., object]:
    module, _, function = name.partition(":")
    found: Callable[..., object] = getattr(importlib.import_module(f"{PACKAGE}.{module}"), function)
    return found


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


if __name__ == "__main__":
    main()
