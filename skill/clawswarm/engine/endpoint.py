"""One endpoint: an adapter with its slots, rates and breaker."""

from dataclasses import dataclass

from clawswarm.engine.breaker import Breaker
from clawswarm.engine.rates import Rates
from clawswarm.engine.window import Window
from clawswarm.errors import TaskError
from clawswarm.providers.base import Provider


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """Where calls go. `in_use` never passes `slots`: a queue inside the server would be out of our hands.

    Attributes:
        refusals: rounds of 429s in a row, for the wait after one that names none.
        last_refusal: the latest 429 since the last success, for words to those who wait in vain.
    """

    address: str
    provider: Provider
    slots: int
    rates: Rates
    breaker: Breaker
    window: Window
    in_use: int = 0
    refusals: int = 0
    last_refusal: TaskError | None = None

    @property
    def room(self) -> int:
        """Calls it takes right now, as far as slots go."""
        return self.window.size - self.in_use

    def ready_at(self, tokens: int, now: float) -> float:
        """The earliest moment for a call of about `tokens`, as far as rates and breaker go."""
        return max(self.rates.ready_at(tokens, now), self.breaker.ready_at())

    def take(self, tokens: int, now: float) -> None:
        """Occupy a slot and send a call of about `tokens`."""
        self.in_use += 1
        self.rates.take(tokens, now)
        self.breaker.sending()
