"""The layering of the design, as data: imports only ever point downwards, files stay small, no cycles."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = (ROOT / "skill", ROOT / "mcp_server")

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"version", "errors", "clock", "lifetimes", "types", "config"}),
    frozenset({"providers", "store"}),
    frozenset({"engine", "web"}),
    frozenset({"modes", "team"}),
    frozenset({"access"}),
    frozenset({"cli", "daemon", "sync", ""}),
)
"""The packages of `clawswarm`, lowest layer first; "" is the package itself."""

APART = (
    frozenset({"providers", "store"}),
    frozenset({"modes", "team"}),
    frozenset({"cli", "daemon", "sync"}),
)
"""Packages of one layer that do not see each other."""

FOR_MCP = frozenset({"access", "types", "config", "errors", "clock", "version"})
"""What `clawswarm_mcp` may see of `clawswarm`."""

MOUNTS_MCP = frozenset({"daemon"})
"""Who may see `clawswarm_mcp`."""

HEAVY = frozenset(
    {
        "anthropic",
        "dbos",
        "fastapi",
        "genai_prices",
        "jsonschema",
        "mcp",
        "psycopg",
        "trafilatura",
        "uvicorn",
        "watchfiles",
    }
)
"""Libraries that are imported where they are used: start-up time is part of the interface."""

BUILT_ON = {"daemon": frozenset({"fastapi", "uvicorn"}), "clawswarm_mcp": frozenset({"mcp"})}
"""A package that is a process of its own may begin with what it is built on: nobody else imports it."""

LIGHT = frozenset({"clawswarm_mcp", "clawswarm_mcp.mounted", "clawswarm_mcp.mending"})
"""Modules of such a package that others import: they load what it is built on when it is used."""

MOST_LINES = 310
OVERSIZE: frozenset[str] = frozenset()
"""Modules that may be longer. May only shrink."""


@dataclass(frozen=True)
class Module:
    name: str
    path: Path

    @property
    def package(self) -> str:
        """The part of `clawswarm` it belongs to."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""

    @property
    def level(self) -> int:
        return next(level for level, packages in enumerate(LAYERS) if self.package in packages)

    def imports(self, *, at_start: bool = False) -> set[str]:
        """Names of the modules it imports; with `at_start` only those that importing it loads."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        nodes = _unguarded(tree) if at_start else list(ast.walk(tree))
        found: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                assert node.level == 0, f"{self.name} imports relatively"
                found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        return found


def _unguarded(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


@cache
def modules() -> tuple[Module, ...]:
    found: list[Module] = []
    for source in SOURCES:
        for path in sorted(source.rglob("*.py")):
            parts = path.relative_to(source).with_suffix("").parts
            found.append(Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return tuple(found)


def ours(names: set[str]) -> list[Module]:
    return [module for module in modules() if module.name in names]


every_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


def test_the_sources_are_found() -> None:
    assert {"clawswarm.engine.pool", "clawswarm.cli.main", "clawswarm_mcp"} <= {m.name for m in modules()}


@every_module
def test_imports_point_downwards(module: Module) -> None:
    for imported in ours(module.imports()):
        if module.name.startswith("clawswarm_mcp"):
            assert imported.name.startswith("clawswarm_mcp") or imported.package in FOR_MCP
            continue
        if imported.name.startswith("clawswarm_mcp"):
            assert module.package in MOUNTS_MCP, f"{module.name} imports {imported.name}"
            assert imported.name in LIGHT, f"{module.name} imports {imported.name}"
            continue
        if imported.package == module.package or imported.name == "clawswarm":
            continue
        assert imported.level <= module.level, f"{module.name} imports {imported.name}, a layer above it"
        for group in APART:
            assert not {imported.package, module.package} <= group, f"{module.name} imports {imported.name}"


@every_module
def test_nobody_imports_the_package_root(module: Module) -> None:
    assert not [name for name in module.imports() if name == "clawswarm"]


@every_module
def test_heavy_libraries_wait_until_they_are_used(module: Module) -> None:
    loaded = {name.split(".")[0] for name in module.imports(at_start=True)}
    package = "clawswarm_mcp" if module.name.startswith("clawswarm_mcp") else module.package
    light = frozenset[str]() if module.name in LIGHT else BUILT_ON.get(package, frozenset[str]())
    assert not loaded & (HEAVY - light)


@every_module
def test_a_module_is_short_and_says_what_it_is(module: Module) -> None:
    text = module.path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{module.name} has no docstring"
    assert len(text.splitlines()) <= MOST_LINES or module.name in OVERSIZE


def test_there_are_no_cycles() -> None:
    edges = {module.name: {m.name for m in ours(module.imports(at_start=True))} for module in modules()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail, name))
        if name not in done:
            for target in edges[name] - {name}:
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_only_providers_that_need_it_load_late() -> None:
    """Our own modules are imported at the top, so that every cycle shows; the exceptions are named here."""
    late = {
        (module.name, name)
        for module in modules()
        for name in module.imports() - module.imports(at_start=True)
        if name in {m.name for m in modules()}
    }
    adapters = {"anthropic", "gemini", "ollama", "openai_compat"}
    allowed = {("clawswarm.providers.registry", f"clawswarm.providers.{name}") for name in adapters}
    public = {
        ("clawswarm", f"clawswarm.{name}")
        for name in ("access.swarm", "types.result", "types.research", "types.task")
    }
    assert late <= allowed | public
