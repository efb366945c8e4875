"""The host's configuration file: how it would have to change, and the change itself.

A value that somebody set stays, unless it is forced. Nothing is written into a file that is not plain JSON:
its comments would be lost.
"""

import json
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from clawswarm.config.json_splice import with_value
from clawswarm.config.key_files import FILE_MODE, FOLDER_MODE
from clawswarm.config.whole_files import write_whole
from clawswarm.errors import SwarmError
from clawswarm.providers.shape import is_list, is_object, text_of
from clawswarm.team.host import Host
from clawswarm.team.host_schema import Known
from clawswarm.team.host_settings import DENY, PRIMARY, Key, Wanted

LARGEST = 8 * 1024 * 1024
INCLUDE = "$include"

State = Literal["same", "add", "change", "kept", "included", "unknown", "unread"]
"""`kept`: the user's own value; `included`: another file may set it; `unknown`: the host does not take it;
`unread`: the file cannot be compared."""


class HostFileError(SwarmError):
    """The host's configuration cannot be read or written; it is as it was."""

    code = "host_config_failed"


@dataclass(frozen=True, slots=True)
class Read:
    """The file as it was found.

    Attributes:
        path: the file itself, where its usual path is a link; None where there is no host.
        text: None where there is no file.
        tree: what it says; None where it is no plain JSON object, and `trouble` says why.
    """

    path: Path | None
    text: str | None
    tree: dict[str, Any] | None
    trouble: str | None = None

    @property
    def touched(self) -> str | None:
        """The version of the host that wrote it last."""
        meta = (self.tree or {}).get("meta")
        return (text_of(meta, "lastTouchedVersion") or None) if is_object(meta) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is to become of one key.

    Attributes:
        key: where it stands in this file.
        before: what the file says now; None where it says nothing.
    """

    key: Key
    state: State
    value: Any
    before: Any
    why: str

    @property
    def name(self) -> str:
        return ".".join(self.key)

    @property
    def written(self) -> bool:
        return self.state in ("add", "change")


@dataclass(frozen=True, slots=True)
class Plan:
    """How the file would change. `after` is its new text."""

    read: Read
    items: tuple[Item, ...]
    after: str

    @property
    def changes(self) -> bool:
        return any(item.written for item in self.items)


def read_file(host: Host) -> Read:
    """The host's configuration.

    Raises:
        HostFileError: it cannot be read.
    """
    try:
        path = host.file.resolve()
        if not path.exists():
            if host.file.is_symlink():
                raise HostFileError(
                    f"{host.file} is a link to nothing", hint="correct the link, or remove it"
                )
            return Read(path, None, {})
        if path.stat().st_size > LARGEST:
            raise HostFileError(f"{host.file} is larger than 8 MiB", hint="is it the right file?")
        text = path.read_bytes().decode("utf-8")
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise HostFileError(
            f"{host.file} cannot be read: {reason}", hint=f"check its owner and mode: ls -l {host.file}"
        ) from error
    except UnicodeDecodeError:
        raise HostFileError(f"{host.file} is not UTF-8 text", hint="is it the right file?") from None
    try:
        tree: Any = json.loads(text)
    except (ValueError, RecursionError):
        return Read(path, text, None, "it is not plain JSON: it may hold comments, which would be lost")
    if not is_object(tree):
        return Read(path, text, None, "it holds no group of keys")
    return Read(path, text, tree)


def plan(read: Read, settings: Iterable[Wanted], known: Known, *, force: bool) -> Plan:
    """What becomes of each key; with `force` a value that somebody set gives way."""
    items = tuple(_item(read, wanted, known, force=force) for wanted in settings)
    after = read.text or "{}\n"
    for item in items:
        if item.written:
            after = with_value(after, item.key, item.value)
    return Plan(read, items, after)


def as_tree(items: Sequence[Item]) -> dict[str, Any]:
    """The settings that the host takes, nested as in its file."""
    tree: dict[str, Any] = {}
    for item in items:
        if item.state != "unknown":
            here = tree
            for part in item.key[:-1]:
                here = here.setdefault(part, {})
            here[item.key[-1]] = item.value
    return tree


def write(planned: Plan, now: datetime) -> Path | None:
    """Write what was planned; the backup beside it, None where there was no file.

    Raises:
        HostFileError: it cannot be written, or somebody has changed it meanwhile.
    """
    path, text = planned.read.path, planned.read.text
    assert path is not None  # noqa: S101 - nothing is planned to be written where no host is
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        there = path.read_bytes() if path.exists() else None
        if there != (None if text is None else text.encode()):
            raise HostFileError(
                f"{path} was changed by somebody else meanwhile", hint="look at it, then retry"
            )
        mode = FILE_MODE if there is None else stat.S_IMODE(path.stat().st_mode)
        backup = None if there is None else _kept(path, there, mode, now)
        write_whole(path, planned.after.encode(), mode)
    except OSError as error:
        raise HostFileError(
            f"{path} cannot be written: {error.strerror or error}",
            hint=f"check the space, and the owner and mode of its folder: ls -ld {path.parent}",
        ) from error
    return backup


def _kept(path: Path, data: bytes, mode: int, now: datetime) -> Path:
    """A copy beside the file, under a name that was free."""
    name = f"{path.name}.before-swarm-{now:%Y%m%d-%H%M%S}"
    names = (name if number == 1 else f"{name}-{number}" for number in range(1, 1000))
    backup = next(place for place in (path.with_name(name) for name in names) if not place.exists())
    write_whole(backup, data, mode)
    return backup


def _item(read: Read, wanted: Wanted, known: Known, *, force: bool) -> Item:
    tree, key, value = read.tree or {}, wanted.key, wanted.value
    if key == PRIMARY and isinstance(_at(tree, key[:-1]), str):
        key = key[:-1]  # the short form: a model's name alone
    before = _at(tree, key)
    if key == DENY and is_list(before):
        value = before if "*" in before else [*before, *(name for name in value if name not in before)]
    state: State
    if wanted.key in known.unknown:
        state = "unknown"
    elif read.tree is None:
        state = "unread"
    elif before == value and before is not None:
        state = "same"
    elif _is_included(tree, key):
        state = "included"
    elif before is None and not _is_blocked(tree, key):
        state = "add"
    elif key == DENY and is_list(before):
        state = "change"  # what was denied stays denied
    else:
        state = "change" if force and not _is_blocked(tree, key) else "kept"
    return Item(key=key, state=state, value=value, before=before, why=wanted.why)


def _at(tree: Any, key: Iterable[str]) -> Any:
    for part in key:
        tree = tree.get(part) if is_object(tree) else None
    return tree


def _is_included(tree: dict[str, Any], key: Key) -> bool:
    """Whether a group on the way takes in another file, whose values are not seen here."""
    groups = [_at(tree, key[:depth]) for depth in range(len(key))]
    return _at(tree, key) is None and any(is_object(group) and INCLUDE in group for group in groups)


def _is_blocked(tree: Any, key: Key) -> bool:
    """Whether something else than a group stands on the way."""
    for part in key[:-1]:
        if not is_object(tree):
            return True
        if part not in tree:
            return False
        tree = tree[part]
    return not is_object(tree)
