"""A gateway that writes its envelopes down instead of sending them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from backoffice.eduix.client import SoapClient
from backoffice.eduix.errors import EduixContractBroken
from backoffice.eduix.gateway import Config, Gateway
from backoffice.eduix.masking import MASK
from backoffice.eduix.service import Service


@dataclass(frozen=True, slots=True)
class Draft:
    """A call that was not made: its envelope, masked, or why none could be written."""

    operation: str
    envelope: str
    problem: str = ""


class NothingIsSent(Exception):
    """A preview was asked for an answer, which only Edu-iX can give."""


class _Drafting(Service):
    """One of the two services, without a login and without a connection."""

    def __init__(self, name: str, *, address: str, wsdl: str, drafts: list[Draft]) -> None:
        # Not the service's own beginning: that prepares a session, and this has none.
        self._client = SoapClient(name, address=address, wsdl=wsdl)
        self._drafts = drafts

    def write(self, operation: str, **arguments: Any) -> None:
        """Write the envelope down, with the header that a session would give it."""
        headers = {"sessionIDHeader": {"sessionID": MASK}}
        try:
            envelope = self._client.preview(operation, headers=headers, **arguments)
        except EduixContractBroken as problem:
            self._drafts.append(Draft(operation, "", problem.text))
        else:
            self._drafts.append(Draft(operation, envelope))

    def read(self, operation: str, **arguments: Any) -> NoReturn:
        del arguments
        raise NothingIsSent(operation)

    def login(self) -> NoReturn:
        raise NothingIsSent("login")


class PreviewGateway(Gateway):
    """The gateway's own writes, from record to envelope; `drafts` is what they would send."""

    def __init__(self, config: Config) -> None:
        self.drafts: list[Draft] = []
        self._distributor_id = config.EDUIX_DISTRIBUTOR_ID
        self.profile = _Drafting(
            "profile",
            address=config.EDUIX_PROFILE_URL,
            wsdl=config.EDUIX_PROFILE_WSDL,
            drafts=self.drafts,
        )
        self.credit = _Drafting(
            "credit",
            address=config.EDUIX_CREDIT_URL,
            wsdl=config.EDUIX_CREDIT_WSDL,
            drafts=self.drafts,
        )
