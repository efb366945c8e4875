"""Names as people and agents write them, as the types of a team. What does not fit is told with what does."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from clawswarm.errors import InputError
from clawswarm.team.draft import role_of
from clawswarm.types.board import Evidence
from clawswarm.types.team import HUMAN, SYSTEM, Role

E = TypeVar("E", bound=StrEnum)

_EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)
_KINDS = ("file", "command", "url", "commit", "text")


def actor_of(name: str) -> str:
    """Who acts: a role, or a human.

    Raises:
        InputError: it is neither; the board itself ("system") is nobody's to play.
    """
    wanted = name.strip().lower()
    if wanted == HUMAN:
        return HUMAN
    if wanted == SYSTEM:
        raise InputError("only the board itself acts as 'system'", hint="act as a role, or as human")
    return role_of(wanted).value


def one_of(kind: type[E], name: str, what: str) -> E:
    """The member of `kind` of that name, in any case.

    Raises:
        InputError: there is none; the message names them all.
    """
    wanted = name.strip().replace("-", "_")
    for member in kind:
        if member.value.lower() == wanted.lower():
            return member
    known = ", ".join(member.value for member in kind)
    raise InputError(f"there is no {what} {name[:40]!r}", hint=f"it is one of: {known}")


def roles_of(names: Iterable[str]) -> tuple[Role, ...]:
    return tuple(dict.fromkeys(role_of(name) for name in names))


def sentences_of(pairs: Mapping[str, str]) -> dict[Role, str]:
    return {role_of(name): sentence for name, sentence in pairs.items()}


def evidence_of(given: Sequence[str | Mapping[str, Any]]) -> tuple[Evidence, ...]:
    """Evidence as `kind:what` (a command may end in its exit code: "command:pytest -q=0"), or as an object.

    Raises:
        InputError: it is neither; the message shows the forms.
    """
    return tuple(_evidence(each) for each in given)


def _evidence(given: str | Mapping[str, Any]) -> Evidence:
    if isinstance(given, str):
        kind, colon, ref = given.partition(":")
        if not colon or kind not in _KINDS or not ref.strip():
            raise InputError(
                f"evidence {given[:60]!r} does not say what it is",
                hint="such as file:src/auth.py, command:pytest -q=0, url:https://…, commit:1a2b3c4, text:…",
            )
        command, equals, code = ref.rpartition("=")
        if kind == "command" and equals and code.strip().lstrip("-").isdigit():
            return Evidence(kind="command", ref=command.strip(), exit_code=int(code))
        given = {"kind": kind, "ref": ref.strip()}
    try:
        return _EVIDENCE.validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "evidence"
        raise InputError(f"{where}: {first['msg']}", hint=f"kind is one of: {', '.join(_KINDS)}") from None
