"""The controls over HTTP: JSON in, JSON out, on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from .controls import ControlError, Controls
from .reply import Reply
from .troubles import KINDS, TroubleError

Query = Mapping[str, str]
Order = Mapping[str, Any]


def answer(controls: Controls, method: str, name: str, query: Query, raw: bytes) -> Reply:
    """The reply to /control/<name>: 200, 404 for an unknown name, 400 for a wrong order."""
    handler = _HANDLERS.get((method, name))
    if handler is None:
        return _json({"error": f"there is no {method} /control/{name}"}, 404)
    try:
        order = json.loads(raw) if raw else {}
        if not isinstance(order, dict):
            raise ControlError("an order is a JSON object")
        return _json(handler(controls, query, order))
    except (ControlError, TroubleError) as problem:
        return _json({"error": str(problem)}, 400)
    except (KeyError, ValueError, TypeError) as problem:
        return _json({"error": f"wrong order: {problem}"}, 400)


def _json(data: object, status: int = 200) -> Reply:
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    return Reply(status, text.encode(), "application/json; charset=utf-8")


def _ledger(controls: Controls, query: Query, order: Order) -> object:
    rows = controls.ledger(
        operation=query.get("operation", ""),
        subject=query.get("subject", ""),
        applied={"true": True, "false": False}.get(query.get("applied", "")),
        since=max(0, int(query.get("since", "0"))),
    )
    return {"count": len(rows), "rows": [asdict(row) for row in rows]}


def _state(controls: Controls, query: Query, order: Order) -> object:
    if kind := query.get("kind"):
        return {"rows": [asdict(row) for row in controls.rows(kind)]}
    return controls.state()


def _notifications(controls: Controls, query: Query, order: Order) -> object:
    return {
        "deliveries": [asdict(delivery) for delivery in controls.deliveries()],
        "waiting": [asdict(row) for row in controls.rows("outgoing")],
    }


def _troubles(controls: Controls, query: Query, order: Order) -> object:
    return {"kinds": KINDS, "waiting": controls.state()["troubles"]}


def _add_trouble(controls: Controls, query: Query, order: Order) -> object:
    return asdict(controls.trouble(**order))


def _clear_troubles(controls: Controls, query: Query, order: Order) -> object:
    controls.clear_troubles()
    return {}


def _reset(controls: Controls, query: Query, order: Order) -> object:
    controls.reset()
    return {}


def _expire(controls: Controls, query: Query, order: Order) -> object:
    return {"expired": controls.expire_sessions(str(order.get("service", "")))}


def _notify(controls: Controls, query: Query, order: Order) -> object:
    controls.notify(order["operation"], order["key"])
    return {}


def _link(controls: Controls, query: Query, order: Order) -> object:
    return {"userID": controls.link(order["distributorPersonID"], order.get("userID", ""))}


def _unlink(controls: Controls, query: Query, order: Order) -> object:
    controls.unlink(order["distributorPersonID"])
    return {}


def _hurry(controls: Controls, query: Query, order: Order) -> object:
    return {"events": controls.hurry()}


_HANDLERS: Final[dict[tuple[str, str], Callable[[Controls, Query, Order], object]]] = {
    ("GET", "ledger"): _ledger,
    ("GET", "state"): _state,
    ("GET", "notifications"): _notifications,
    ("GET", "troubles"): _troubles,
    ("POST", "troubles"): _add_trouble,
    ("DELETE", "troubles"): _clear_troubles,
    ("POST", "reset"): _reset,
    ("POST", "expire-sessions"): _expire,
    ("POST", "notify"): _notify,
    ("POST", "link"): _link,
    ("POST", "unlink"): _unlink,
    ("POST", "hurry"): _hurry,
}
