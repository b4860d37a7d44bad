"""`manage.py deliver` under a supervisor that starts it again whenever it ends.

`-m tests.chaos.inbound.product.supervised` first answers the office's questions; at `deliver` it
begins. A fork of this process takes milliseconds, a new interpreter more than a second.
"""

import json
import os
import sys

from tests.chaos.inbound.product.office import answer  # sets Django up


def deliver_again_and_again() -> None:
    from django.core.management import call_command
    from django.db import connections

    connections.close_all()  # a process must not inherit one
    while True:
        child = os.fork()
        if child == 0:
            call_command("deliver", stdout=sys.stderr)
            os._exit(0)
        os.waitpid(child, 0)
        print("the worker ended", file=sys.stderr, flush=True)


if __name__ == "__main__":
    from tests.chaos.inbound.product.broken import prepare

    prepare()
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "deliver":
            print(json.dumps("begun"), flush=True)
            deliver_again_and_again()
        print(json.dumps(answer(question)), flush=True)
