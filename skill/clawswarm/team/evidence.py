"""Evidence: what shows that something was done. "Done means shown" (design, section 6)."""

import re
from collections.abc import Sequence
from dataclasses import replace

from clawswarm.errors import InputError
from clawswarm.team.texts import clean, said
from clawswarm.types.board import Evidence

MOST_PIECES = 20
MOST_REF = 8_000

_FORMS = {
    "url": (re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE), "http://… or https://…"),
    "commit": (re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE), "7 to 64 hexadecimal digits"),
}
_DIGEST = re.compile(r"[0-9a-f]{64}")


def checked(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """`evidence` as it goes on the board.

    Raises:
        InputError: there is too much of it, or a piece is not what it says.
    """
    if len(evidence) > MOST_PIECES:
        raise InputError(
            f"there are {len(evidence)} pieces of evidence; at most {MOST_PIECES} are allowed",
            hint="name those that matter most",
        )
    return tuple(_piece(each) for each in evidence)


def lacking(evidence: Sequence[Evidence]) -> str | None:
    """Why it does not show that a task is done; None where it does."""
    if all(each.kind == "text" for each in evidence):
        return "nothing shows that it is done (an agent's word is no evidence)"
    for each in evidence:
        if each.kind == "command" and each.exit_code != 0:
            how = "has no exit code" if each.exit_code is None else f"ended with {each.exit_code}"
            return f"{said(each.ref)!r} {how}, not with 0"
    return None


def _piece(each: Evidence) -> Evidence:
    ref = clean(f"evidence ({each.kind})", each.ref, MOST_REF, required=True)
    if each.kind in _FORMS:
        form, looks = _FORMS[each.kind]
        if not form.fullmatch(ref):
            raise InputError(f"{said(ref, 80)!r} is no {each.kind}", hint=f"it looks like: {looks}")
    if each.digest is not None and not _DIGEST.fullmatch(each.digest):
        raise InputError(
            f"{said(each.digest, 80)!r} is no digest of {said(ref, 80)!r}",
            hint="SHA-256, as 64 hexadecimal digits",
        )
    return replace(each, ref=ref)
