"""Hands the calls of one provider to its endpoints: whichever has a free slot and may be called.

Waiting calls stand in one line, first come first served. A slot that becomes free goes to the head of the
line at once; where a rate, a pause or a breaker holds, one timer wakes the line at the earliest moment.
While all slots are taken, those in the line wait for others, and their deadlines stand still.
"""

from collections import deque
from dataclasses import dataclass, field

import anyio

from clawswarm.clock import Clock, Timer
from clawswarm.engine.breaker import State
from clawswarm.engine.deadline import Deadline
from clawswarm.engine.endpoint import Endpoint
from clawswarm.errors import TaskError


@dataclass(slots=True, eq=False)
class _Waiter:
    tokens: int
    deadline: Deadline
    impatient: bool
    avoid: Endpoint | None
    outcome: Endpoint | TaskError | None = None
    woken: anyio.Event = field(default_factory=anyio.Event)


class Dispatcher:
    """The line in front of one provider's endpoints."""

    def __init__(self, endpoints: tuple[Endpoint, ...], clock: Clock) -> None:
        self.endpoints = endpoints
        self._clock = clock
        self._line: deque[_Waiter] = deque()
        self._timer: Timer | None = None
        self._full = False

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def acquire(
        self, tokens: int, deadline: Deadline, *, impatient: bool = False, avoid: Endpoint | None = None
    ) -> Endpoint:
        """A slot at an endpoint that may be called now. Give it back with `release`.

        Args:
            tokens: about how many the call will use.
            deadline: until when waiting makes sense; it stands still while every slot is taken.
            impatient: fail as soon as every breaker is open (there is another provider to go to).
            avoid: where the call has just failed; another endpoint is waited for, if one is up.

        Raises:
            TaskError: waiting is pointless: the server is down, or its limit outlasts the deadline.
        """
        now = self._clock.monotonic()
        if not self._line and (endpoint := self._pick(tokens, now, avoid)) is not None:
            endpoint.take(tokens, now)
            return endpoint
        if (error := self._hopeless(tokens, deadline.at, now, impatient=impatient)) is not None:
            raise error
        waiter = _Waiter(tokens, deadline, impatient, avoid)
        self._line.append(waiter)
        self._serve()
        if self._full:
            deadline.stand_still()
        try:
            await waiter.woken.wait()
        except BaseException:
            if isinstance(waiter.outcome, Endpoint):
                waiter.outcome.breaker.abandoned(self._clock.monotonic())
                self.release(waiter.outcome)
            elif waiter.outcome is None:
                self._line.remove(waiter)
                self._serve()
            raise
        finally:
            deadline.go_on()
        if isinstance(waiter.outcome, TaskError):
            raise waiter.outcome
        assert waiter.outcome is not None  # noqa: S101 - woken only with an outcome
        return waiter.outcome

    def release(self, endpoint: Endpoint) -> None:
        """Give a slot back; the head of the line gets it at once."""
        endpoint.in_use -= 1
        if self._line:
            self._serve()

    def changed(self) -> None:
        """A breaker opened or a pause began: those who wait in vain are told now."""
        now = self._clock.monotonic()
        for waiter in list(self._line):
            error = self._hopeless(waiter.tokens, waiter.deadline.at, now, impatient=waiter.impatient)
            if error is not None:
                self._line.remove(waiter)
                waiter.outcome = error
                waiter.woken.set()
        self._serve()

    def _pick(self, tokens: int, now: float, avoid: Endpoint | None) -> Endpoint | None:
        """The endpoint with the most room of those that may be called now."""
        best: Endpoint | None = None
        for endpoint in self.endpoints:
            if (
                endpoint.room > 0
                and (best is None or endpoint.room > best.room)
                and endpoint.ready_at(tokens, now) <= now
                and (endpoint is not avoid or not self._others_are_up(endpoint, tokens, now))
            ):
                best = endpoint
        return best

    def _others_are_up(self, endpoint: Endpoint, tokens: int, now: float) -> bool:
        return any(other is not endpoint and other.ready_at(tokens, now) <= now for other in self.endpoints)

    def _serve(self) -> None:
        """Hand out what can be handed out, and set the timer for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.monotonic()
        while self._line:
            waiter = self._line[0]
            endpoint = self._pick(waiter.tokens, now, waiter.avoid)
            if endpoint is None:
                break
            self._line.popleft()
            endpoint.take(waiter.tokens, now)
            waiter.outcome = endpoint
            waiter.woken.set()
        self._count_time()
        if self._line:
            head = self._line[0]
            moments = (e.ready_at(head.tokens, now) for e in self.endpoints if e.room > 0)
            soonest = min((moment for moment in moments if moment > now), default=float("inf"))
            if soonest < float("inf"):
                self._timer = self._clock.call_at(soonest, self._serve)

    def _count_time(self) -> None:
        """Let the deadlines of the line stand still while every slot is taken, and only then."""
        up = [endpoint for endpoint in self.endpoints if endpoint.breaker.state is State.CLOSED]
        full = bool(up) and all(endpoint.room <= 0 for endpoint in up)
        if full is not self._full:
            self._full = full
            for waiter in self._line:
                if full:
                    waiter.deadline.stand_still()
                else:
                    waiter.deadline.go_on()

    def _hopeless(self, tokens: int, deadline: float, now: float, *, impatient: bool) -> TaskError | None:
        """Why no endpoint can take the call in time; None while one may."""
        errors: list[TaskError] = []
        for endpoint in self.endpoints:
            breaker = endpoint.breaker
            down = breaker.last_error
            if down is not None and (breaker.gives_up or impatient) and breaker.ready_at() > now:
                errors.append(_left_alone(endpoint, down, breaker.ready_at() - now))
                continue
            ready = endpoint.rates.ready_at(tokens, now)
            if ready <= deadline:
                return None
            errors.append(_limited(endpoint, ready - now, deadline - now))
        return errors[0]


def _left_alone(endpoint: Endpoint, error: TaskError, seconds: float) -> TaskError:
    when = (
        f"it is tried again in {seconds:.0f} s" if seconds < float("inf") else "it is being tried again now"
    )
    return TaskError(
        error.code,
        f"{endpoint.provider.name} at {endpoint.address} is left alone after repeated failures ({when}); "
        f"the last one: {error.message}",
        hint=error.hint,
        retryable=True,
        status=error.status,
    )


def _limited(endpoint: Endpoint, seconds: float, left: float) -> TaskError:
    said = endpoint.last_refusal
    words = "" if said is None else f"; it said: {said.message}"
    return TaskError(
        "rate_limited",
        f"{endpoint.provider.name} takes the next call in {seconds:.0f} s, and the task has "
        f"{max(0.0, left):.0f} s left{words}",
        hint=(said and said.hint)
        or "raise the timeout, or configure a fallback until the limit starts again",
        retryable=True,
    )
