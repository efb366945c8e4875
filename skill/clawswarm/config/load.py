"""One frozen set of settings out of environment, file and defaults, and where each value came from.

`SWARM__SECTION__KEY` variables win over the file, the file over the defaults; the winner is chosen for
each key by itself. Nothing is read but what is passed in and the one file.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, cast

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from clawswarm.config import fields, problems, yaml_marks
from clawswarm.config.model import Settings
from clawswarm.config.origins import Layer, Mark, NotJsonError, fit, from_text, leaves, nearest_origin, origin
from clawswarm.config.paths import Paths
from clawswarm.config.problems import Problem
from clawswarm.errors import ConfigError

ROOT = "node_scaling"
PREFIX = "SWARM__"
DEFAULT = "default"
LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and how they came about.

    Attributes:
        origins: every dotted key with the place its value was written: `default`, a file with its
            line, a variable.
        warnings: what should be put right, although it stops nothing.
        path: the configuration file, whether it exists or not.
    """

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]
    path: FilePath


class _Source(PydanticBaseSettingsSource):
    """One layer, as pydantic-settings takes it."""

    def __init__(self, settings_cls: type[BaseSettings], tree: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self._tree = tree

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._tree, field_name, False

    def __call__(self) -> dict[str, Any]:
        return {ROOT: self._tree}


class _Layers(BaseSettings):
    """Puts the layers on top of each other, key by key. Its only sources are the ones it is given."""

    node_scaling: dict[str, Any] = {}

    @classmethod
    def merge(cls, strongest_first: tuple[Layer, ...]) -> dict[str, Any]:
        trees: dict[str, Any] = {"layers": [layer.tree for layer in strongest_first]}
        return cls(**trees).node_scaling

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return tuple(_Source(settings_cls, tree) for tree in init_settings()["layers"])


def load(environ: Mapping[str, str]) -> Loaded:
    """The settings of the user whose environment this is.

    Raises:
        ConfigError: a key is unknown or its value does not fit, or the file cannot be read.
    """
    paths = Paths.of(environ)
    found: list[Problem] = []
    text, warnings = _read(paths.config, named=bool(environ.get("SWARM_CONFIG")))
    layers = (
        _environment(environ, paths.keys, found),
        _file(text, paths.config, paths.keys, found),
    )
    for layer in layers:
        found += problems.of_layer(layer, paths.keys)
    settings, errors = problems.check(_Layers.merge(layers))
    for error in errors:
        if error["type"] in problems.CROSS_LAYER:
            path = problems.place(error)
            found.append(Problem(nearest_origin(path, layers), problems.across_layers(path, error)))
    if found or settings is None:
        raise problems.error_for(found)
    marks = {path: origin(path, layers) for path, _ in leaves(settings)}
    return Loaded(
        settings=settings,
        origins={fields.dotted(path): mark.where if mark else DEFAULT for path, mark in marks.items()},
        warnings=warnings,
        path=paths.config,
    )


def _read(path: FilePath, *, named: bool) -> tuple[str, tuple[str, ...]]:
    """The text of the file and what is odd about it. A missing file is an empty one, unless it was named."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        if named:
            hint = "create it, or unset SWARM_CONFIG"
            raise ConfigError(f"SWARM_CONFIG names {path}, which does not exist", hint=hint) from None
        if path.is_symlink():
            hint = "correct the link, or remove it"
            raise ConfigError(f"configuration file {path} is a link to nothing", hint=hint) from None
        return "", ()
    except IsADirectoryError:
        hint = "move the folder away, or name a file with SWARM_CONFIG"
        raise ConfigError(f"configuration file {path} is a directory", hint=hint) from None
    except OSError as error:
        hint = f"check the permissions: ls -l {path}"
        raise ConfigError(f"configuration file {path} cannot be read: {error.strerror}", hint=hint) from error
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"configuration file {path} is larger than 1 MiB", hint="is it the right file?")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: this is not UTF-8 text", hint="save the file as UTF-8") from None
    if stat.S_ISREG(mode) and mode & (stat.S_IWGRP | stat.S_IWOTH):
        bits = f"{stat.S_IMODE(mode):04o}"
        return text, (f"{path} can be changed by other users (mode {bits}); run: chmod 600 {path}",)
    return text, ()


def _file(text: str, path: FilePath, key_folder: FilePath, found: list[Problem]) -> Layer:
    """The layer that the file is; only what stands below the root key belongs to it."""
    document = yaml_marks.parse(text, str(path))
    marks = {place: Mark(f"{path}:{line}", line) for place, line in document.lines.items()}
    whole: object = document.value
    if whole is None:
        return Layer()
    if not isinstance(whole, dict):
        found.append(Problem(marks[()], f"expected the key {ROOT!r} with the settings below it"))
        return Layer()
    root = cast("dict[str, object]", whole)
    found += [Problem(marks[key,], _unknown_root(key, key_folder)) for key in root if key != ROOT]
    below = root.get(ROOT)
    if not isinstance(below, dict | None):
        text = f"{ROOT}: expected a group of keys, found {problems.shown((ROOT,), below)}"
        found.append(Problem(marks[ROOT,], text))
        return Layer()
    tree = fit(cast("dict[str, Any]", below or {}), fields.at(()))
    return Layer(tree, {place[1:]: mark for place, mark in marks.items() if place[:1] == (ROOT,)})


def _unknown_root(key: str, key_folder: FilePath) -> str:
    if fields.at((key,)) is not None:
        return f"unknown key {key!r}: it belongs below {ROOT!r}"
    if fields.nearest(key, [ROOT]):
        return f"unknown key {problems.cut(repr(key))}: did you mean {ROOT!r}?"
    if problems.means_a_secret(key):
        return problems.unknown_key((key,), key_folder)
    return f"unknown key {problems.cut(repr(key))}: the only key here is {ROOT!r}, with the settings below it"


def _environment(environ: Mapping[str, str], key_folder: FilePath, found: list[Problem]) -> Layer:
    """The layer of the `SWARM__…` variables."""
    layer = Layer(text=True)
    known = {PREFIX + "__".join(path).upper(): path for path in fields.every_path()}
    given = [name for name in environ if name.startswith(PREFIX)]
    for name in sorted(given, key=lambda name: (name.count("__"), name)):
        mark = Mark(name)
        path = known.get(name)
        if path is None:
            last = name.rpartition("__")[2]
            near = fields.nearest(name, known, cutoff=0)
            advice = f"unknown variable: did you mean {near}?"
            if problems.means_a_secret(last):
                advice = problems.unknown_key((last.lower(),), key_folder)
            found.append(Problem(mark, advice))
            continue
        try:
            layer.put(path, from_text(environ[name], fields.at(path)), mark)
        except NotJsonError as error:
            text = f"{fields.dotted(path)}: {problems.expected(path)}, as JSON, but this is not JSON: {error}"
            found.append(Problem(mark, text))
    return layer
