"""Actions of lists that another package adds, as `panels.py` does for pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise


@dataclass(frozen=True)
class ListAction:
    """What may be done with chosen rows of a list; `permission` as `persons.change_person`.

    `run` answers with a page, or with None when the list is to be shown again.
    """

    name: str
    label: str | Promise
    permission: str
    run: Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


_actions: dict[str, list[ListAction]] = defaultdict(list)


def register_action(model: str, action: ListAction) -> None:
    """Add an action to the list of a model, `app.model` in lower case."""
    if action not in _actions[model]:
        _actions[model].append(action)


def actions_for(model: str, request: HttpRequest) -> dict[str, tuple[Any, str, Any]]:
    """The added actions that this colleague may use, as the admin wants them."""
    return {
        action.name: (action.run, action.name, action.label)
        for action in _actions[model]
        if request.user.has_perm(action.permission)
    }
