"""Convergence: the rules in their order, with weights, ties, abstentions, one voter and all roles."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.team import Votes
from clawswarm.team.rules.convergence import Outcome, converge
from clawswarm.types.team import Role

ROLES = list(Role)
EQUAL = dict.fromkeys(Role, 7.0)
OPTIONS = ("A", "B", "C")

electorates = st.lists(st.sampled_from(ROLES), min_size=1, max_size=7, unique=True)
weights_of_all = st.fixed_dictionaries({role: st.integers(1, 10).map(float) for role in Role})


@st.composite
def histories(draw: st.DrawFn) -> list[dict[Role, str | None]]:
    """One to four rounds of one electorate."""
    electorate = draw(electorates)
    position = st.sampled_from([None, *OPTIONS])
    rounds = st.lists(st.fixed_dictionaries(dict.fromkeys(electorate, position)), min_size=1, max_size=4)
    return draw(rounds)


def round_of(votes: str) -> dict[Role, str | None]:
    """A round from a letter each, in the order of the roles; "-" abstains."""
    return {role: None if letter == "-" else letter for role, letter in zip(ROLES, votes, strict=False)}


def came_to(*rounds: str, weights: Mapping[Role, float] = EQUAL, rules: Votes | None = None) -> Outcome:
    return converge([round_of(votes) for votes in rounds], weights, rules or Votes())


@given(histories(), weights_of_all)
def test_the_rules_apply_in_their_order(
    rounds: list[dict[Role, str | None]], weights: dict[Role, float]
) -> None:
    """An oracle written from the design's sentence, without the code's helpers."""
    last = rounds[-1]
    heads = Counter(option for option in last.values() if option)
    cast = heads.total()
    trust = {o: sum(weights[role] for role, option in last.items() if option == o) for o in heads}
    by_heads = [o for o in heads if heads[o] * 7 >= cast * 5]
    by_trust = [o for o in heads if trust[o] * 10 > sum(trust.values()) * 7]
    first = [o for o in heads if heads[o] == max(heads.values())]
    outcome = converge(rounds, weights, Votes())

    if len(heads) == 1:
        wanted = ("unanimous", next(iter(heads)))
    elif by_heads or by_trust:
        wanted = ("supermajority", [*by_heads, *by_trust][0])
    elif len(rounds) >= 3:
        wanted = ("director", None)
    elif len(rounds) == 2 and len(first) == 1:
        moved = sum(rounds[0][role] != last[role] for role in last)
        voters = sum(any(each[role] for each in rounds) for role in last)
        how = "stable" if moved == 0 else "diminishing" if moved * 5 < voters else None
        wanted = (how, first[0] if how else None)
    else:
        wanted = (None, None)
    assert (outcome.how, outcome.option) == wanted
    assert outcome.reason


@given(histories(), weights_of_all)
def test_what_is_decided_was_voted_for_and_disagreement_is_a_share(
    rounds: list[dict[Role, str | None]], weights: dict[Role, float]
) -> None:
    outcome = converge(rounds, weights, Votes())
    assert 0 <= outcome.against < 1
    assert (outcome.option is not None) == (outcome.how not in (None, "director"))
    if outcome.option:
        assert outcome.option in rounds[-1].values()
    if outcome.how == "unanimous":
        assert outcome.against == 0


@given(histories(), weights_of_all, st.permutations(ROLES), st.integers(2, 9))
def test_neither_the_order_of_voters_nor_the_scale_of_weights_matters(
    rounds: list[dict[Role, str | None]], weights: dict[Role, float], order: list[Role], factor: int
) -> None:
    shuffled = [{role: each[role] for role in order if role in each} for each in rounds]
    scaled = {role: each * factor for role, each in weights.items()}
    assert converge(shuffled, scaled, Votes()) == converge(rounds, weights, Votes())


@given(histories(), weights_of_all, st.integers(1, 5))
def test_no_vote_outlasts_its_rounds(
    rounds: list[dict[Role, str | None]], weights: dict[Role, float], most: int
) -> None:
    outcome = converge(rounds, weights, Votes(max_rounds=most))
    assert outcome.how is not None or len(rounds) < most


@given(st.sampled_from(ROLES), st.sampled_from(OPTIONS), weights_of_all)
def test_one_voter_is_unanimous(role: Role, option: str, weights: dict[Role, float]) -> None:
    outcome = converge([{role: option}], weights, Votes())
    assert (outcome.how, outcome.option) == ("unanimous", option)


@given(electorates, st.integers(1, 5))
def test_silence_converges_on_nothing_until_the_director_decides(electorate: list[Role], count: int) -> None:
    outcome = converge([dict.fromkeys(electorate)] * count, EQUAL, Votes())
    assert outcome.how == ("director" if count >= 3 else None)
    assert outcome.option is None
    assert "nobody voted" in outcome.reason
    assert outcome.against == 0


def test_five_of_seven_are_a_supermajority_and_four_are_not() -> None:
    assert came_to("AAAAABB").how == "supermajority"
    assert came_to("AAAABBB").how is None
    assert came_to("AAAAABB").reason == "5 of 7 votes are for it"


def test_abstentions_are_not_votes_cast() -> None:
    assert came_to("AAAB---").how == "supermajority"  # 3 of 4
    assert came_to("AA-----").how == "unanimous"
    assert came_to("AA-----").reason == "all votes cast agree (2 of 7 voted)"


def test_more_than_the_weighted_share_is_needed() -> None:
    three = dict(zip(ROLES, (7.0, 2.0, 1.0), strict=False))
    assert came_to("ABC", weights=three).how is None
    heavier = dict(zip(ROLES, (8.0, 2.0, 1.0), strict=False))
    assert came_to("ABC", weights=heavier).option == "A"
    assert came_to("ABC", weights=heavier).reason == "73% of the votes weighted by trust are for it"


def test_trust_breaks_a_tie_of_heads_only_with_a_supermajority() -> None:
    trusted = dict(zip(ROLES, (10.0, 10.0, 2.0, 2.0), strict=False))
    assert came_to("AABB", weights=trusted).option == "A"
    tied = dict(zip(ROLES, (10.0, 10.0, 9.0, 9.0), strict=False))
    assert came_to("AABB", "AABB", weights=tied).how is None


def test_heads_come_before_trust() -> None:
    weights = dict(zip(ROLES, (1.0, 1.0, 1.0, 1.0, 1.0, 10.0, 10.0), strict=True))
    assert came_to("AAAAABB", weights=weights).option == "A"


def test_a_majority_stands_when_nobody_moved() -> None:
    outcome = came_to("AAAABBB", "AAAABBB")
    assert (outcome.how, outcome.option) == ("stable", "A")
    assert outcome.reason == "nobody moved since the last round: 4 for 'A', 3 for 'B'"


@pytest.mark.parametrize("votes", ["AAABBB", "AABBC"])
def test_a_tie_goes_on_and_then_to_the_director(votes: str) -> None:
    assert came_to(votes, votes).how is None
    assert came_to(votes, votes, votes).how == "director"


def test_few_who_move_end_it_and_more_do_not() -> None:
    outcome = came_to("AAABBBC", "AAAABBC")
    assert (outcome.how, outcome.option) == ("diminishing", "A")
    assert outcome.reason == "only 1 of 7 moved: 4 for 'A', 2 for 'B', 1 for 'C'"
    assert came_to("AACBBBC", "AAAABBC").how is None


def test_to_fall_silent_is_to_move() -> None:
    outcome = came_to("AAABBB", "AAABB-")
    assert (outcome.how, outcome.option) == ("diminishing", "A")
    assert outcome.reason == "only 1 of 6 moved: 3 for 'A', 2 for 'B'"


def test_the_last_round_belongs_to_the_director_even_if_nobody_moved() -> None:
    outcome = came_to("AAAABBB", "AAACBBB", "AAACBBB", rules=Votes(max_rounds=3))
    assert outcome.how == "director"
    assert outcome.reason == "3 rounds without agreement: 3 for 'A', 3 for 'B', 1 for 'C'"


def test_disagreement_is_weighed_by_trust_against_the_leading_option() -> None:
    weights = dict(zip(ROLES, (2.0, 2.0, 2.0, 7.0, 7.0), strict=False))
    outcome = came_to("AAABB", weights=weights)
    assert outcome.how is None
    assert outcome.against == 14 / 20


def test_the_numbers_can_be_configured() -> None:
    assert came_to("AAB", rules=Votes(supermajority=0.6)).how == "supermajority"
    assert came_to("AAB", rules=Votes(weighted_majority=0.6)).how == "supermajority"
    assert came_to("AAB", rules=Votes(max_rounds=1)).how == "director"
    assert came_to("AAABBBC", "AAAABBC", rules=Votes(min_change=0.1)).how is None
