"""No text of an agent, wherever a view shows it, is more than words."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given

from clawswarm.team.alert_text import body, title
from clawswarm.team.view_checkpoint import checkpoint_page
from clawswarm.team.views import VIEWS
from clawswarm.types.alarms import Alert, Attempt, Emergency, Receipt
from clawswarm.types.board import Agent, Evidence, Run, Spend, Task
from clawswarm.types.meetings import Checkpoint
from clawswarm.types.team import Level, Phase, Role, TaskStatus
from tests.team.boards import Bench
from tests.team.looks import decided, look, write
from tests.team.markdown import HIDDEN, forgeries, skeleton


def _written_by(text: str) -> Bench:
    """A board on which every text that an agent could have written is this one."""
    bench = Bench()
    at = bench.now
    evidence = (Evidence(kind="file", ref=text), Evidence(kind="command", ref=text, exit_code=1))
    statuses: tuple[TaskStatus, ...] = ("pending", "running", "done", "failed", "parked", "cancelled")
    run = bench.board.get(Run, "r1")
    assert run is not None
    emergency = Emergency(
        id="e9", level=Level.SYSTEM, cause="manual", key=text, text=text, by="inspector", at=at, human=text,
        saw={text: text, "list": [text], "map": {text: {text: None}}},
        attempts=(Attempt(by="director", what=text, at=at, worked=False),),
    )  # fmt: skip
    write(
        bench,
        replace(
            run, goal=text, note=text, paused_by="scout", status="paused", next_trigger=text,
            last_checkpoint="c9",
        ),
        *(Agent(role=role, task=text, sentence=text, trust=7) for role in Role),
        *(
            Task(
                id=f"{status}{text}", title=text, role=Role.SCOUT, needs=(text, text), status=status,
                note=text, evidence=evidence,
            )
            for status in statuses
        ),
        replace(decided("p8", at=at, text=text), decision=None, status="voting", waits_for=text),
        decided("p9", at=at, text=text),
        emergency,
        replace(emergency, id="e8", status="resolved", resolution=text, resolved_by="human", resolved=at),
        Alert(
            id="a9", emergency="e9", level=Level.SYSTEM, at=at, title=title(emergency),
            wanted=("file", "webhook"), body=body(emergency, run),
            receipts=(Receipt(channel="file", at=at, detail=text),),
            trouble={"webhook": text},
        ),
        _checkpoint(text, at),
        Spend(role=Role.SCOUT, calls=1),
    )  # fmt: skip
    return bench


def _checkpoint(text: str, at: float) -> Checkpoint:
    return Checkpoint(
        id="c9", at=at, by="scribe", seq=9, phase=Phase.REVIEW, trigger=text, summary=text,
        sentences=dict.fromkeys(Role, text), blockers=(text, text), decision="revise", next_trigger=text,
        commit=text,
    )  # fmt: skip


def _rendered(text: str) -> dict[str, str]:
    overview = look(_written_by(text))
    pages = {name: view(overview) for name, view in VIEWS.items()}
    return pages | {"checkpoint": checkpoint_page(_checkpoint(text, overview.at))}


def _openings(page: str) -> Counter[str]:
    """How the lines of the plain file begin, as `grep` sees it; quotations, of any length, aside."""
    return Counter(line[:2] for line in page.splitlines() if not line.startswith(">"))


BENIGN = _rendered("benign")


@given(text=forgeries)
@pytest.mark.parametrize("measure", [skeleton, _openings], ids=["as rendered", "as plain text"])
def test_no_text_of_an_agent_is_more_than_words(text: str, measure: Callable[[str], Counter[str]]) -> None:
    storable = text.encode(errors="replace").decode()
    for name, page in _rendered(storable).items():
        assert measure(page) == measure(BENIGN[name]), name
        assert not HIDDEN.search(page), name


def test_the_benign_board_shows_every_text() -> None:
    counts = {name: page.count("benign") for name, page in BENIGN.items()}
    assert counts["team-state.md"] >= 7 + 1 + 1 + 3
    assert counts["pipeline-state.md"] >= 6 * 7
    assert counts["emergency.md"] >= 10
    assert counts["decisions.md"] >= 6
    assert counts["checkpoint"] >= 12
    for page in BENIGN.values():
        assert not {"link_open", "image", "html_block", "html_inline", "fence", "hr"} & set(skeleton(page))
