"""Changes keys of the configuration file in place, and nothing else in it.

A change is planned first, so that it can be shown; it is then written whole, or not at all. What would not
load is never written, except for unknown keys that were there before: they stay, with a word about them.
"""

import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

from clawswarm.config import fields, yaml_marks
from clawswarm.config.fields import dotted
from clawswarm.config.key_files import FILE_MODE, FOLDER_MODE
from clawswarm.config.load import LARGEST_FILE, ROOT, load
from clawswarm.config.model import Settings
from clawswarm.config.origins import fit
from clawswarm.config.problems import plain_text
from clawswarm.config.splice import Value, removed, replaced
from clawswarm.config.whole_files import write_whole
from clawswarm.errors import ConfigError

HEAD = """\
# Configuration of Swarm. Every key there is: swarm config schema
# What is in force, and where it comes from: swarm config show
"""

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One key that is to have another value; None stands for a key that is not there."""

    key: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.new is None:
            return f"{self.key}: {self.old} → (removed)"
        return f"{self.key}: {'(unset)' if self.old is None else self.old} → {self.new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be written, and what will be different.

    Attributes:
        path: the file itself, where the configured path is a link.
        before: its text as it was read; None where there is no file.
        settings: what the file will mean, without the environment.
        warnings: what is wrong with the file, and was before.
    """

    path: Path
    before: str | None
    after: str
    changes: tuple[Change, ...]
    settings: Settings
    warnings: tuple[str, ...]


def plan(path: Path, values: Mapping[KeyPath, Value | None]) -> Plan:
    """How the file at `path` has to change for the keys (below the root key) to have these values.

    A value of None removes its key. Keys that have their value already are left alone.

    Raises:
        ConfigError: the file cannot be read, is no YAML, cannot be changed in place, or would not load.
    """
    target, before = _read(path)
    text = HEAD if before is None else before
    tree = _tree(text, path)
    wanted = {(ROOT, *key): value for key, value in values.items()}
    changes: list[Change] = []
    for key, value in wanted.items():
        old = _get(tree, key)
        if _same(old, value, key):
            continue
        changes.append(Change(dotted(key[1:]), _shown(old), _shown(value)))
        try:
            text = removed(text, key) if value is None else replaced(text, key, value)
        except ConfigError as error:
            raise ConfigError(f"{path} cannot be changed: {error.message}", hint=error.hint) from None
        tree = _with(tree, key, value)
    if not changes:
        text = before or ""
    elif not _says(text, tree, path):
        raise ConfigError(
            f"{path} cannot be changed without changing more than {', '.join(c.key for c in changes)}",
            hint="change it by hand: it is written in a way that only a person should touch",
        )
    settings, warnings = _loaded(text, path)
    return Plan(
        path=target,
        before=before,
        after=text,
        changes=tuple(changes),
        settings=settings,
        warnings=warnings,
    )


def write(planned: Plan) -> None:
    """Write what was planned; nothing where nothing changes.

    Raises:
        ConfigError: the file cannot be written, or somebody else has changed it since.
    """
    if not planned.changes:
        return
    path = planned.path
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if _read(path)[1] != planned.before:
            raise ConfigError(f"{path} was changed by somebody else meanwhile", hint="look at it, then retry")
        mode = FILE_MODE if planned.before is None else stat.S_IMODE(path.stat().st_mode)
        write_whole(path, planned.after.encode(), mode)
    except OSError as error:
        raise ConfigError(
            f"configuration file {path} cannot be written: {error.strerror or error}",
            hint=f"check the owner and the mode of its folder: ls -ld {path.parent}",
        ) from error


def _read(path: Path) -> tuple[Path, str | None]:
    """The file that `path` leads to, and its text with the line ends that it has."""
    try:
        target = path.resolve()
        if path.is_symlink() and not target.exists():
            hint = "correct the link, or remove it"
            raise ConfigError(f"configuration file {path} is a link to nothing", hint=hint)
        data = target.read_bytes() if target.exists() else None
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"configuration file {path} cannot be read: {reason}",
            hint=f"check that it is a file, and its permissions: ls -ld {path}",
        ) from error
    if data is None:
        return target, None
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"configuration file {path} is larger than 1 MiB", hint="is it the right file?")
    try:
        return target, data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: this is not UTF-8 text", hint="save the file as UTF-8") from None


# ---- the values of a file


def _tree(text: str, path: Path) -> Any:
    """The values in `text`; a group without any key is None."""
    value: Any = yaml_marks.parse(text, str(path)).value
    if value is not None and not isinstance(value, dict):
        hint = f"write the key {ROOT}: with the settings below it"
        raise ConfigError(f"{path}: the file holds no keys", hint=hint)
    return _tidy(value)


def _says(text: str, tree: Any, path: Path) -> bool:
    """Whether `text` means `tree`. It may not even be YAML any more: an alias has lost what it stood for."""
    try:
        return _tree(text, path) == tree
    except ConfigError:
        return False


def _tidy(value: Any) -> Any:
    if not _is_group(value):
        return value
    return {key: _tidy(below) for key, below in value.items()} or None


def _is_group(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _get(tree: Any, key: KeyPath) -> Any:
    for part in key:
        tree = tree.get(part) if _is_group(tree) else None
    return tree


def _with(tree: Any, path: KeyPath, value: Value | None) -> Any:
    """`tree` with `value` at `path`; None removes it."""
    key, *rest = path
    group: dict[str, Any] = dict(tree) if _is_group(tree) else {}
    if rest:
        group[key] = _with(group.get(key), tuple(rest), value)
    elif value is None:
        group.pop(key, None)
    else:
        group[key] = value
    return group or None


def _same(old: object, new: object, key: KeyPath) -> bool:
    node = fields.at(key[1:])
    old, new = fit(old, node), fit(new, node)
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return "(a list)"
    return "(a group)" if _is_group(value) else plain_text(value)


# ---- whether it loads


def _loaded(text: str, path: Path) -> tuple[Settings, tuple[str, ...]]:
    """What `text` means as a configuration file, and which of its keys mean nothing."""
    unknown = _unknown(yaml_marks.parse(text, str(path)).value, ())
    for key in reversed(unknown):
        text = removed(text, key, keep_lines=True)
    with tempfile.TemporaryDirectory(prefix="swarm-config-") as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(text.encode())
        try:
            settings = load({"HOME": str(Path.home()), "SWARM_CONFIG": str(copy)}).settings
        except ConfigError as error:
            raise ConfigError(error.message.replace(str(copy), str(path)), hint=error.hint) from None
    if not unknown:
        return settings, ()
    names = ", ".join(repr(dotted(key[1:] if key[0] == ROOT else key)) for key in unknown)
    return settings, (
        f"{path} holds keys that Swarm does not know, and will not start with: {names}; they were kept",
    )


def _unknown(value: Any, path: fields.Path) -> list[fields.Path]:
    """The paths of the keys that no setting has, in the order of the file."""
    found: list[fields.Path] = []
    if _is_group(value):
        for key, below in value.items():
            here = (*path, key)
            known = here[0] == ROOT and fields.at(here[1:]) is not None
            found += _unknown(below, here) if known else [here]
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            found += _unknown(item, (*path, index))
    return found
