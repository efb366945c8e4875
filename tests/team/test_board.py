"""The board on each database: what is written, who is refused, what a reader sees."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawswarm.errors import InputError, NotFound
from clawswarm.store.database import Database
from clawswarm.team.board import Board, Done
from clawswarm.team.documents import Replayed, as_json
from clawswarm.team.draft import Draft
from clawswarm.team.runs import end
from clawswarm.types.board import Agent, Run, Task
from clawswarm.types.team import HUMAN, Role
from tests.clock import FakeClock
from tests.team.boards import opening
from tests.team.stores import KINDS, Open, place


@pytest.fixture(params=KINDS)
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the database of the test."""
    with place(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def store(again: Open) -> Iterator[Database]:
    with again() as opened:
        yield opened


@pytest.fixture
def board(store: Database, clock: FakeClock) -> Board:
    """With the run "r1" open."""
    board = Board(store, clock)
    board.begin("r1", opening(), actor=HUMAN)
    return board


def task(id_: str, title: str = "to do", *, done: bool = False) -> Task:
    return Task(id=id_, title=title, role=Role.BUILDER, status="done" if done else "pending")


def add(*tasks: Task) -> Callable[[Draft], Task]:
    """One event a task."""

    def decide(draft: Draft) -> Task:
        for each in tasks:
            draft.record("task_added", each.id, f"{each.id} was added", each)
        return tasks[-1]

    return decide


def drop(*ids: str) -> Callable[[Draft], Run]:
    """One event for all of them."""

    def decide(draft: Draft) -> Run:
        draft.record("checkpoint_restored", "r1", "gone", drops=[draft.need(Task, each) for each in ids])
        return draft.run

    return decide


def nothing(draft: Draft) -> Run:
    return draft.run


def seqs(done: Done[Task]) -> list[int]:
    return [event.seq for event in done.events]


def together(*calls: Callable[[], object]) -> list[object]:
    """What each returns or raises, called at once in threads."""
    line = threading.Barrier(len(calls))
    came: list[object] = [None] * len(calls)

    def run(number: int) -> None:
        line.wait(10)
        try:
            came[number] = calls[number]()
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            came[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


# Opening a run.


def test_a_run_begins_with_its_first_event_and_its_agents(board: Board, clock: FakeClock) -> None:
    (event,) = board.journal()
    assert (event.run, event.seq, event.kind, event.actor) == ("r1", 1, "run_opened", HUMAN)
    assert event.at == clock.now().timestamp()
    with board.reading() as (head, documents):
        assert (head.run, head.seq, head.ended) == ("r1", 1, None)
        assert [each.role for each in documents.all(Agent)] == sorted(Role)
    assert board.runs() == ["r1"]


def test_a_second_run_is_refused_while_one_is_open(board: Board) -> None:
    with pytest.raises(InputError, match="'r1' is open") as told:
        board.begin("r2", opening(), actor=HUMAN)
    assert "swarm team end" in (told.value.hint or "")
    assert board.runs() == ["r1"]


def test_after_the_end_of_a_run_another_begins_and_both_are_kept(board: Board, clock: FakeClock) -> None:
    board.change(lambda draft: end(draft, reason="finished"), actor=HUMAN)
    clock.advance(1)
    board.begin("r2", opening(), actor=HUMAN)
    assert board.runs() == ["r2", "r1"]
    assert board.runs(limit=1) == ["r2"]
    assert [event.kind for event in board.journal("r1")] == ["run_opened", "run_ended"]


@pytest.mark.parametrize("turn", range(3))
def test_of_two_that_open_a_run_at_once_one_wins(again: Open, clock: FakeClock, turn: int) -> None:
    with again() as one, again() as other:
        came = together(
            lambda: Board(one, clock).begin("r1", opening(), actor=HUMAN),
            lambda: Board(other, clock).begin("r2", opening(), actor=HUMAN),
        )
        assert sorted(type(each).__name__ for each in came) == ["Done", "InputError"]
        (run,) = Board(one, clock).runs()
        assert [event.seq for event in Board(other, clock).journal(run)] == [1]


def test_a_retried_opening_opens_nothing_twice(board: Board, store: Database, clock: FakeClock) -> None:
    board.change(lambda draft: end(draft, reason="finished"), actor=HUMAN)
    first = board.begin("r2", opening(), actor=HUMAN, key="k", request={"goal": "Build it"})
    again = Board(store, clock).begin("r3", opening(), actor=HUMAN, key="k", request={"goal": "Build it"})
    assert again == Done(first.value, first.events, again=True)
    with pytest.raises(InputError, match="used for another change"):
        board.begin("r3", opening(), actor=HUMAN, key="k", request={"goal": "Another"})
    assert board.runs() == ["r2", "r1"]


# Changing it.


def test_a_change_is_in_the_journal_and_on_the_board(board: Board, clock: FakeClock) -> None:
    clock.advance(5)
    done = board.change(add(task("t1")), actor="director")
    assert done.value == task("t1")
    assert not done.again
    (event,) = done.events
    assert (event.seq, event.actor, event.subject) == (2, "director", "t1")
    assert event.at == clock.now().timestamp()
    assert board.journal()[1:] == [event]
    with board.reading() as (head, documents):
        assert (head.seq, head.at) == (2, event.at)
        assert documents.get(Task, "t1") == task("t1")


def test_events_of_one_change_are_numbered_on_and_the_last_state_stays(board: Board) -> None:
    done = board.change(add(task("t1", "first"), task("t2"), task("t1", "second")), actor="director")
    assert seqs(done) == [2, 3, 4]
    assert seqs(board.change(add(task("t3")), actor="director")) == [5]
    with board.reading() as (_, documents):
        assert [each.title for each in documents.all(Task)] == ["second", "to do", "to do"]


def test_a_change_that_records_nothing_leaves_no_trace(board: Board) -> None:
    done = board.change(nothing, actor="director", key="k")
    assert (done.value.id, done.events, done.again) == ("r1", (), False)
    assert len(board.journal()) == 1
    assert not board.change(nothing, actor="director", key="k").again


def test_what_is_due_comes_first_and_what_follows_comes_last(store: Database, clock: FakeClock) -> None:
    def due(draft: Draft) -> None:
        draft.record("task_moved", "due", "was due")

    def follows(draft: Draft) -> None:
        draft.record("task_moved", "follows", f"after {len(draft.events)} events")

    board = Board(store, clock, settle=[due], react=[follows, follows])
    board.begin("r1", opening(), actor=HUMAN)
    done = board.change(add(task("t1")), actor="director")
    assert [event.subject for event in done.events] == ["due", "t1", "follows", "follows"]
    assert [event.says for event in done.events[2:]] == ["after 2 events", "after 3 events"]


@pytest.mark.parametrize("late", [False, True], ids=["in the decision", "in what follows"])
def test_an_error_leaves_nothing_behind(store: Database, clock: FakeClock, late: bool) -> None:
    def breaks(draft: Draft) -> None:
        if any(event.subject == "t2" for event in draft.events):
            raise RuntimeError("in the middle")

    def decide(draft: Draft) -> Task:
        value = add(task("t1", "changed"), task("t2"))(draft)
        if not late:
            breaks(draft)
        return value

    board = Board(store, clock, react=[breaks])
    board.begin("r1", opening(), actor=HUMAN)
    board.change(add(task("t1")), actor="director")
    before = board.journal()
    with pytest.raises(RuntimeError, match="in the middle"):
        board.change(decide, actor="director", key="k")
    assert board.journal() == before
    with board.reading() as (head, documents):
        assert documents.all(Task) == [task("t1")]
        assert head.seq == 2
    assert seqs(board.change(add(task("t2 later")), actor="director", key="k")) == [3]


def test_time_never_goes_back_in_a_journal(board: Board, store: Database, clock: FakeClock) -> None:
    clock.advance(60)
    board.change(add(task("t1")), actor="director")
    slow = Board(store, FakeClock())
    slow.change(add(task("t2")), actor="director")
    assert [event.at for event in board.journal()[1:]] == [clock.now().timestamp()] * 2


@pytest.mark.parametrize("durable", [False, True])
def test_any_text_is_kept_as_it_is(board: Board, durable: bool) -> None:
    title = "\0 ÿ 🦞 \u2028 'quoted' %s :x \\ " + "x" * 1_000_000
    board.change(add(task("t1", title)), actor="director", durable=durable)
    with board.reading() as (_, documents):
        assert documents.get(Task, "t1") == task("t1", title)
    assert board.journal()[1].after[0].body == as_json(task("t1", title))


# The same change asked for again.


def test_a_retried_change_happens_once_and_comes_to_the_same(board: Board) -> None:
    first = board.change(add(task("t1"), task("t2")), actor="director", key="k", request={"of": "t2"})
    board.change(add(task("t2", "moved on")), actor="director")
    again = board.change(add(task("t1"), task("t2")), actor="director", key="k", request={"of": "t2"})
    assert again == Done(first.value, first.events, again=True)
    assert len(board.journal()) == 4


def test_a_key_belongs_to_one_request(board: Board) -> None:
    board.change(add(task("t1")), actor="director", key="k", request={"of": "t1"})
    with pytest.raises(InputError, match=r"the key 'k' was used for another change \(event 2\)") as told:
        board.change(add(task("t2")), actor="director", key="k", request={"of": "t2"})
    assert "a key of its own" in (told.value.hint or "")
    assert len(board.journal()) == 2


def test_a_key_belongs_to_one_run(board: Board) -> None:
    board.change(add(task("t1")), actor="director", key="k")
    board.change(lambda draft: end(draft, reason="finished"), actor=HUMAN)
    board.begin("r2", opening(), actor=HUMAN)
    assert not board.change(add(task("t1")), actor="director", key="k").again
    assert board.change(add(task("t1")), actor="director", key="k", run="r1").again


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\0b"])
def test_a_key_that_is_none_is_refused(board: Board, key: str) -> None:
    with pytest.raises(InputError, match="1 to 200 printable characters"):
        board.change(add(task("t1")), actor="director", key=key)


def test_a_change_asked_for_by_many_at_once_happens_once(again: Open, board: Board, clock: FakeClock) -> None:
    with ExitStack() as stack:
        boards = [Board(stack.enter_context(again()), clock) for _ in range(4)]
        came = together(
            *(lambda b=each: b.change(add(task("t1")), actor="director", key="k") for each in boards)
        )
    assert sorted(cast("Done[Task]", each).again for each in came) == [False, True, True, True]
    assert len(board.journal()) == 2


# Reading it.


def call(draft: Draft) -> Run:
    draft.record("call_made", "builder", "a call")
    return draft.run


@pytest.fixture
def long(board: Board) -> Board:
    """With the events 2 to 11, of two kinds in turns."""
    for number in range(5):
        board.change(add(task(f"t{number}")), actor="director")
        board.change(call, actor="builder")
    return board


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [*range(1, 12)]),
        ({"after": 8}, [9, 10, 11]),
        ({"after": 11}, []),
        ({"after": 3, "limit": 4}, [4, 5, 6, 7]),
        ({"limit": 3, "newest": True}, [9, 10, 11]),
        ({"after": 9, "limit": 5, "newest": True}, [10, 11]),
        ({"kinds": ["call_made"]}, [3, 5, 7, 9, 11]),
        ({"kinds": ["call_made", "run_opened"], "limit": 2}, [1, 3]),
        ({"kinds": ["call_made"], "limit": 2, "newest": True}, [9, 11]),
        ({"kinds": ["vote_cast"]}, []),
    ],
    ids=str,
)
def test_a_journal_is_read_in_pages(long: Board, asked: dict[str, object], expected: Sequence[int]) -> None:
    assert [event.seq for event in long.journal(**asked)] == expected  # pyright: ignore[reportArgumentType]


IDS = ["10", "9", "A", "B", "_", "a", "a.1", "a.2", "aa", "b", "é", "🦞"]


def test_documents_come_by_the_characters_of_their_ids(board: Board) -> None:
    board.change(add(*(task(id_) for id_ in reversed(IDS))), actor="director")
    with board.reading() as (_, documents):
        assert [each.id for each in documents.all(Task)] == sorted(IDS) == IDS
        assert [each.id for each in documents.all(Task, prefix="a")] == ["a", "a.1", "a.2", "aa"]
        assert [each.id for each in documents.all(Task, prefix="a.")] == ["a.1", "a.2"]
        assert [each.id for each in documents.all(Task, prefix="🦞")] == ["🦞"]
        assert documents.all(Task, prefix="%") == []
        assert documents.count(Task) == len(IDS)
        assert documents.count(Task, prefix="a.") == 2


def test_the_newest_documents_are_those_that_changed_last(board: Board) -> None:
    for id_ in ("t3", "t1", "t2"):
        board.change(add(task(id_)), actor="director")
    board.change(add(task("t3", done=True)), actor="director")
    with board.reading() as (_, documents):
        assert [each.id for each in documents.all(Task, newest=2)] == ["t2", "t3"]
        assert [each.id for each in documents.all(Task, newest=9)] == ["t1", "t2", "t3"]
        assert [each.id for each in documents.all(Task, newest=1, open_only=True)] == ["t2"]
        assert documents.all(Task, newest=0) == []


def test_what_waits_for_nothing_can_be_left_out(board: Board) -> None:
    board.change(add(task("t1"), task("t2", done=True), task("t3")), actor="director")
    with board.reading() as (_, documents):
        assert [each.id for each in documents.all(Task, open_only=True)] == ["t1", "t3"]
        assert documents.count(Task, open_only=True) == 2
        assert documents.get(Task, "t2") == task("t2", done=True)


def test_a_document_that_is_gone_is_in_the_journal_alone(board: Board) -> None:
    board.change(add(task("t1"), task("t2"), task("t3")), actor="director")
    done = board.change(drop("t1", "t3"), actor=HUMAN)
    assert [(image.id, image.body) for image in done.events[0].after] == [("t1", None), ("t3", None)]
    with board.reading() as (_, documents):
        assert documents.all(Task) == [task("t2")]
        assert documents.get(Task, "t1") is None
    board.change(add(task("t1", "back")), actor="director")
    with board.reading() as (_, documents):
        assert documents.all(Task) == [task("t1", "back"), task("t2")] == Replayed(board.journal()).all(Task)


names = st.sampled_from(["a", "B", "_", "é"])
steps = st.lists(st.lists(st.tuples(names, st.sampled_from(["put", "done", "drop"])), max_size=4), max_size=8)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_every_prefix_of_a_journal_replays_to_the_board_of_that_moment(
    board: Board, steps: list[list[tuple[str, str]]]
) -> None:
    def play(step: list[tuple[str, str]]) -> Callable[[Draft], Run]:
        def decide(draft: Draft) -> Run:
            for number, (id_, what) in enumerate(step):
                there = draft.get(Task, id_)
                if what != "drop":
                    made = task(id_, f"{what} {number}", done=what == "done")
                    draft.record("task_moved", id_, what, made)
                elif there is not None:
                    draft.record("task_moved", id_, what, drops=[there])
            return draft.run

        return decide

    def seen() -> tuple[list[Task], list[Task], list[Task], int]:
        with board.reading() as (_, documents):
            return (
                documents.all(Task),
                documents.all(Task, open_only=True, prefix="a"),
                documents.all(Task, newest=2),
                documents.count(Task, open_only=True),
            )

    moments = {len(board.journal()): seen()}
    for step in steps:
        board.change(play(step), actor="director")
        moments[len(board.journal())] = seen()
    replayed = Replayed()
    for event in board.journal():
        replayed.apply(event)
        if event.seq in moments:
            assert moments[event.seq] == (
                replayed.all(Task),
                replayed.all(Task, open_only=True, prefix="a"),
                replayed.all(Task, newest=2),
                replayed.count(Task, open_only=True),
            )


def test_a_reader_does_not_wait_for_a_writer_and_sees_what_was_there_before(
    board: Board, again: Open, clock: FakeClock
) -> None:
    with again() as other:
        reader = Board(other, clock)

        def decide(draft: Draft) -> Task:
            value = add(task("t1"))(draft)
            assert len(reader.journal()) == 1
            with reader.reading() as (head, documents):
                assert head.seq == 1
                assert documents.all(Task) == []
            return value

        board.change(decide, actor="director")
        assert len(reader.journal()) == 2


def test_a_reader_sees_one_moment_and_keeps_no_writer_waiting(
    board: Board, again: Open, clock: FakeClock
) -> None:
    with again() as other, Board(other, clock).reading() as (head, documents):
        board.change(add(task("t1")), actor="director")
        assert head.seq == 1
        assert documents.all(Task) == []
        assert documents.count(Task) == 0


# What is not there.


def test_a_run_that_has_ended_refuses_changes_and_can_be_read(board: Board) -> None:
    board.change(add(task("t1")), actor="director", key="k")
    board.change(lambda draft: end(draft, reason="finished"), actor=HUMAN)
    with pytest.raises(NotFound, match="no team run is open"):
        board.change(add(task("t2")), actor="director")
    with pytest.raises(InputError, match="the run 'r1' has ended") as told:
        board.change(add(task("t2")), actor="director", run="r1")
    assert "swarm team open" in (told.value.hint or "")
    assert board.change(add(task("t1")), actor="director", run="r1", key="k").again
    with board.reading() as (head, documents):
        assert head.ended is not None
        assert documents.all(Task) == [task("t1")]


def test_where_there_is_no_run_that_is_said(store: Database, clock: FakeClock) -> None:
    board = Board(store, clock)
    assert board.runs() == []
    with pytest.raises(NotFound, match="no team run is open") as told:
        board.change(add(task("t1")), actor="director")
    assert "swarm team open" in (told.value.hint or "")
    with pytest.raises(NotFound):
        board.journal()


@pytest.mark.parametrize("name", ["r2", "", "\0", "r1\0", "\udc80", "'; --", "x" * 10_000])
def test_what_nothing_is_called_is_not_found(board: Board, name: str) -> None:
    with board.reading() as (_, documents):
        assert documents.get(Task, name) is None
    with pytest.raises(NotFound):
        board.change(drop(name), actor="director")
    if name:
        with pytest.raises(NotFound, match="there is no run"):
            board.change(add(task("t1")), actor="director", run=name)
        with pytest.raises(NotFound, match="there is no run"):
            board.journal(name)
