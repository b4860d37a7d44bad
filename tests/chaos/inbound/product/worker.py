"""`manage.py deliver`, changed as an experiment says: `-m tests.chaos.inbound.product.worker`.

A thread beside it answers the questions of `office.py`: a process less to start.
"""

import sys
import threading

from benchmarks.workers.protocol import answer_questions
from tests.chaos.inbound.product.office import answer  # sets Django up

if __name__ == "__main__":
    from django.core.management import call_command

    from tests.chaos.inbound.product.broken import prepare

    prepare()
    threading.Thread(target=answer_questions, args=(answer,), daemon=True).start()
    call_command("deliver", stdout=sys.stderr)  # standard output is for the answers
