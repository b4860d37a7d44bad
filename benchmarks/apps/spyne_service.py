"""A peer: the endpoint as spyne makes it from classes, where spyne is installed.

It is not in the lock files; `pip install spyne` in the virtual environment adds this row.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from backoffice.eduix.contract import types_namespace

spyne: Any = import_module("spyne")
TYPES = types_namespace("notification")

Store = Callable[[Any, str, str, list[Any], list[Any]], None]


def application(store: Store) -> Any:
    """The service with `store(context, key, state, specification, correction)` as its work."""
    login = _object("loginHeader", username=_text(100), password=_text(64))
    number = spyne.Integer
    entry = {"amount": number(min_occurs=1), "responseID": _text(30), "errorCode": number}
    specification = _object("specification", **entry).customize(max_occurs="unbounded")
    correction = _object("correction", **entry).customize(max_occurs="unbounded")
    state = spyne.Unicode(values=["Active", "Returned"], min_occurs=1)

    def specificationChanged(  # noqa: N802  the name of the operation
        ctx: Any,
        distributorCreditID: str,  # noqa: N803  spyne takes the element's name from here
        state: str,
        specification: Any,
        correction: Any,
    ) -> None:
        store(ctx, distributorCreditID, state, specification or [], correction or [])

    key = spyne.Unicode(min_len=1, max_len=30, min_occurs=1)
    operation = spyne.rpc(
        key,
        state,
        specification,
        correction,
        _in_message_name="specificationChangedRequest",
        _out_message_name="specificationChangedResponse",
    )(specificationChanged)
    service = type(
        "Service", (spyne.ServiceBase,), {"__in_header__": login, "specificationChanged": operation}
    )
    soap11 = import_module("spyne.protocol.soap").Soap11
    return spyne.Application(
        [service],
        tns=TYPES,
        name="notification",
        in_protocol=soap11(validator="lxml"),
        out_protocol=soap11(),
    )


def wsgi_application(store: Store) -> Any:
    """As WSGI without Django."""
    return import_module("spyne.server.wsgi").WsgiApplication(application(store))


def django_view(store: Store) -> Any:
    """As a Django view."""
    return import_module("spyne.server.django").DjangoApplication(application(store))


def store(ctx: Any, key: str, state: str, specification: list[Any], correction: list[Any]) -> None:
    """Check the login and keep the same row as the plain view."""
    from benchmarks.apps.views import insert, may_deliver

    header = ctx.in_header
    if header is None or not may_deliver(header.username or "", header.password or ""):
        raise spyne.Fault("Client", "The login was not accepted.")
    insert(
        b"".join(ctx.in_string),
        ctx.transport.req,
        header.username,
        {
            "distributor_credit_id": key,
            "state": state,
            "specification": [_entry(one) for one in specification],
            "correction": [_entry(one) for one in correction],
        },
    )


def _entry(told: Any) -> dict[str, Any]:
    return {
        "amount": int(told.amount),
        "response_id": told.responseID or "",
        "error_code": int(told.errorCode) if told.errorCode is not None else None,
    }


def _object(name: str, **fields: Any) -> Any:
    return type(
        name,
        (spyne.ComplexModel,),
        {"__namespace__": TYPES, "__type_name__": name, "_type_info": list(fields.items())},
    )


def _text(length: int) -> Any:
    return spyne.Unicode(max_len=length)
