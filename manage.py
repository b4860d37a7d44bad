#!/usr/bin/env python
"""Command line of the back-office."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as problem:
        raise SystemExit(
            "Django is not installed here; run `make demo` or `make venv`."
        ) from problem
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
