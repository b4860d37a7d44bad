"""Signs a colleague in, for whoever asks pages over HTTP; the cookie is all that is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  Django has to be set up first
from django.test import Client  # noqa: E402

from benchmarks.workers.protocol import answer_questions  # noqa: E402


def answer(_question: Mapping[str, Any]) -> dict[str, str]:
    """A session of somebody who may see everything."""
    user = get_user_model().objects.create_superuser("bench", password=None)
    client = Client()
    client.force_login(user)
    return {"cookie": client.cookies["sessionid"].value}


if __name__ == "__main__":
    answer_questions(answer)
