"""What the ways to tell a human have in common."""

from dataclasses import dataclass
from typing import Protocol

from clawswarm.types.alarms import Alert
from clawswarm.types.team import Cause, Channel


@dataclass(frozen=True, slots=True)
class Call:
    """An alert with what it does not say itself."""

    run: str
    alert: Alert
    cause: Cause

    @property
    def id(self) -> str:
        """The same for every try, whoever makes it."""
        return f"{self.run}/{self.alert.id}"


class Refused(Exception):  # noqa: N818 - says the state; never leaves the package
    """A channel did not take an alert. The reason holds no address and no secret.

    Attributes:
        final: the channel is not there, and nobody will take it later either.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class AlertChannel(Protocol):
    """One way to tell a human."""

    @property
    def name(self) -> Channel: ...

    async def tell(self, call: Call) -> str:
        """Hand the alert over; returns the proof that it was taken.

        Raises:
            Refused: it was not.
        """
        ...
