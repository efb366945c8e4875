"""How many calls one endpoint takes at once right now: its slots, fewer after a 429.

Additive increase, multiplicative decrease, as in TCP: half as many after a refusal, one more with each
success, so that the calls that waited out a limit do not run into it again all at once.
"""


class Window:
    """The number of calls allowed at once; at most `slots`, at least one."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self.size = slots

    def refused(self) -> None:
        self.size = max(1, self.size // 2)

    def succeeded(self) -> None:
        if self.size < self._slots:
            self.size += 1
