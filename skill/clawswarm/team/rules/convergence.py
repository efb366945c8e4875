"""When a vote has converged (operations guide, section 6; design, section 6): the rules, in their order.

1. unanimous: all votes cast agree.
2. supermajority: 5/7 of the votes cast agree, or more than 0.7 of them weighted by trust. Heads count first.
3. the rounds are used up: the Director decides.
4. stable: nobody moved since the last round, and the majority stands.
5. diminishing: fewer moved than a further round is worth, and the majority stands.

An abstention is a position, but no vote cast: a round without any vote converges on nothing. The majority is
the option with the most votes; a tie has none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from clawswarm.config.team import Votes
from clawswarm.types.team import Role

How = Literal["unanimous", "supermajority", "director", "stable", "diminishing"]

Positions = Mapping[Role, str | None]
"""What each of the electorate voted for in one round; None is an abstention."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a closed round came to.

    Attributes:
        how: None: there is another round.
        option: what was decided; None while nothing is, and where the Director decides.
        against: share of the votes, weighted by trust, that is not for the leading option.
    """

    how: How | None
    option: str | None
    reason: str
    against: float


@dataclass(frozen=True, slots=True)
class Count:
    """The votes of one round.

    Attributes:
        heads: votes for each option.
        trust: the same, weighted.
    """

    heads: Mapping[str, int]
    trust: Mapping[str, float]

    @classmethod
    def of(cls, positions: Positions, weights: Mapping[Role, float]) -> "Count":
        heads: Counter[str] = Counter()
        trust: dict[str, float] = {}
        for role, option in positions.items():
            if option is not None:
                heads[option] += 1
                trust[option] = trust.get(option, 0) + weights[role]
        return cls(heads, trust)

    @property
    def cast(self) -> int:
        return sum(self.heads.values())

    @property
    def leading(self) -> str | None:
        """The option with the most votes, of those that tie the one with the most trust; None: no vote."""
        return max(
            sorted(self.heads), key=lambda option: (self.heads[option], self.trust[option]), default=None
        )

    @property
    def majority(self) -> str | None:
        """The option that has more votes than any other."""
        most = max(self.heads.values(), default=0)
        first = [option for option, votes in self.heads.items() if votes == most]
        return first[0] if len(first) == 1 else None

    @property
    def against(self) -> float:
        """Share of the trust-weighted votes that is not for the leading option."""
        leading = self.leading
        total = sum(self.trust.values())
        return 0.0 if leading is None else (total - self.trust[leading]) / total

    def supermajority(self, rules: Votes) -> tuple[str, str] | None:
        """The option that has it, and by what."""
        if not self.cast:
            return None
        first = self.majority
        if first is not None and self.heads[first] / self.cast >= rules.supermajority:
            return first, f"{self.heads[first]} of {self.cast} votes are for it"
        heaviest = max(sorted(self.trust), key=lambda option: self.trust[option])
        share = self.trust[heaviest] / sum(self.trust.values())
        if share > rules.weighted_majority:
            return heaviest, f"{share:.0%} of the votes weighted by trust are for it"
        return None


def converge(rounds: Sequence[Positions], weights: Mapping[Role, float], rules: Votes) -> Outcome:
    """What the last of the closed rounds comes to.

    Args:
        rounds: at least one, the oldest first; each holds the position of every voter.
        weights: of every voter, more than 0.
    """
    last = rounds[-1]
    count = Count.of(last, weights)

    def outcome(how: How | None, option: str | None, reason: str) -> Outcome:
        return Outcome(how, option, reason, count.against)

    if len(count.heads) == 1:
        return outcome(
            "unanimous", count.leading, f"all votes cast agree ({count.cast} of {len(last)} voted)"
        )
    if found := count.supermajority(rules):
        return outcome("supermajority", *found)
    if len(rounds) >= rules.max_rounds:
        return outcome("director", None, _used_up(count, len(rounds)))
    if len(rounds) == 1 or not count.cast:
        return outcome(None, None, "nobody voted" if not count.cast else f"no agreement: {tally(count)}")
    moved, voters = _moved(rounds[-2], last)
    if count.majority is None:
        return outcome(None, None, f"a tie has no majority: {tally(count)}")
    if moved == 0:
        return outcome("stable", count.majority, f"nobody moved since the last round: {tally(count)}")
    if moved / voters < rules.min_change:
        return outcome("diminishing", count.majority, f"only {moved} of {voters} moved: {tally(count)}")
    return outcome(None, None, f"{moved} of {voters} moved since the last round: {tally(count)}")


def tally(count: Count) -> str:
    """Votes by option, the most first."""
    most_first = sorted(count.heads.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{votes} for {option!r}" for option, votes in most_first)


def _moved(before: Positions, after: Positions) -> tuple[int, int]:
    """How many changed their position, and how many voted in at least one of two rounds."""
    voters = [role for role in after if before.get(role) is not None or after[role] is not None]
    return sum(before.get(role) != after[role] for role in voters), len(voters)


def _used_up(count: Count, rounds: int) -> str:
    used = f"{rounds} round{'s' * (rounds > 1)}"
    split = tally(count)
    return f"{used} without agreement: {split}" if split else f"{used}, and nobody voted in the last one"
