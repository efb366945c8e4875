"""emergency.md, which Swarm shows and anybody may write: what they write there is an emergency raised.

Nothing that is written there is lost. What Swarm shows changes places with the file in one step, and what
came out lies aside until it is known whose it is: also what a slow writer still adds to it is found there.
The last line of what Swarm shows seals it, so that a crash leaves no doubt about what is Swarm's own.
Call all of it with the folder's lock held.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from clawswarm.errors import NotFound
from clawswarm.team.board import Board
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import raise_emergency
from clawswarm.team.emergency_text import Letter, is_ours, read_letter, sealed
from clawswarm.team.files import Folder, Found
from clawswarm.types.alarms import Emergency
from clawswarm.types.team import HUMAN

PLACE = "emergency.md"
ASIDE = ".emergency.md"
KEPT = "emergencies"

SETTLED_SECONDS = 0.2
"""How long a file has to be unchanged: until then somebody may still be writing it."""

LARGEST = 4 * 2**20
"""Bytes that are read of it. All of it is kept."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in emergency.md.

    Attributes:
        raised: emergencies that it led to, or had led to before.
        busy: somebody may be writing it: look again in `SETTLED_SECONDS`.
        waits: somebody wrote it, and no run is open to take it in.
        taken: the file that lies there and is on the board already.
    """

    raised: tuple[Emergency, ...] = ()
    busy: bool = False
    waits: bool = False
    taken: Found | None = None


UNSEEN = Look(busy=True)
"""Nobody could look: what is there is not touched."""


def take_in(folder: Folder, board: Board, *, view: str, now: float) -> Look:
    """Raise on the board what somebody wrote, and keep it.

    Args:
        view: what Swarm shows there.
        now: seconds since 1970.
    """
    aside, place = folder.read(ASIDE, LARGEST), folder.read(PLACE, LARGEST)
    raised: list[Emergency] = []
    busy = waits = False
    taken = None
    for found in (aside, place):
        if found is None or is_ours(found.data):
            continue
        if abs(now - found.changed) < SETTLED_SECONDS:  # a time in the future says nothing
            busy = True
        elif (letter := read_letter(found.data, view)) is not None:
            try:
                raised.append(_raise(board, letter, found))
            except NotFound:
                waits = True
                continue
            if found is aside:
                _keep(folder, found)
            else:
                taken = found
    return Look(tuple(raised), busy, waits, taken)


def show(folder: Folder, view: str, look: Look) -> bool:
    """Show `view`, unless somebody's words wait there; returns whether the file changed.

    What was there is aside then: `take_in` looks at it again.
    """
    data = sealed(view)
    found = folder.read(PLACE, len(data) + 1)
    if look.busy or look.waits or (found is not None and found.data == data):
        return False
    folder.displace(PLACE, data, ASIDE)
    out = folder.read(ASIDE, LARGEST)
    if out is not None and look.taken is not None and out.identity == look.taken.identity:
        _keep(folder, out)
    return True


def _raise(board: Board, letter: Letter, found: Found) -> Emergency:
    """The emergency; the same file again is the same one, also after a crash."""
    digest = sha256(found.data).hexdigest()

    def decide(draft: Draft) -> Emergency:
        saw: dict[str, Any] = {"file": f"{KEPT}/{_kept_name(found)}", "bytes": found.size}
        return raise_emergency(
            draft, level=letter.level, text=letter.text, key=f"file:{digest}", agent=letter.agent, saw=saw
        )

    actor = HUMAN if letter.sender is None else letter.sender.value
    key = f"file:{digest}:{found.identity}"
    return board.change(decide, actor=actor, key=key, durable=True).value


def _keep(folder: Folder, found: Found) -> None:
    """Give what lies aside its place among those that are kept, byte for byte."""
    with folder.below(KEPT) as kept:
        for name in _kept_names(found):
            if folder.move(ASIDE, kept, name):
                return
            there = kept.read(name, LARGEST)
            if there is not None and (there.data, there.size) == (found.data, found.size):
                folder.remove(ASIDE)
                return


def _kept_name(found: Found) -> str:
    return next(iter(_kept_names(found)))


def _kept_names(found: Found) -> Iterable[str]:
    """By when it was written, and by what it says; longer ones for what looks the same and is not."""
    at = datetime.fromtimestamp(found.changed, UTC)
    digest = sha256(found.data).hexdigest()
    number = sha256(found.identity.encode()).hexdigest()
    for tail in (digest[:8], digest, f"{digest[:8]}-{number[:16]}"):
        yield f"{at:%Y%m%dT%H%M%SZ}-{tail}.md"
