"""Public clients of MCP, on the daemon's `/mcp` and on `swarm mcp`."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from clawswarm_mcp.catalog import BY_NAME
from tests.hosts.commands import Done, Place, ProblemError, swarm
from tests.hosts.packages import Packages
from tests.hosts.report import Report

SCENARIOS = (
    "server-initialize",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
)
"""Those that fit any server; the others ask for tools that only a sample server has."""

ERAS = {"legacy": "2025-11-25", "modern": "2026-07-28"}

PROMPTS = ("Name a river.", "Name a mountain.")

ASKED = json.dumps({"prompts": PROMPTS})

SERVER_INFO = "io.modelcontextprotocol/serverInfo"
"""In `_meta` of every answer in the modern era, and of none before."""


@dataclass(frozen=True)
class Target:
    """The server, as one kind of client finds it."""

    name: str
    inspector: list[str]
    mcporter: list[str]


def over_stdio() -> Target:
    command, *arguments = swarm("mcp")
    words = [word for argument in arguments for word in ("--stdio-arg", argument)]
    return Target("stdio", ["--", command, *arguments], ["--stdio", command, *words])


def over_http(port: int, token: str) -> Target:
    url = f"http://127.0.0.1:{port}/mcp"
    told = ["--header", f"Authorization: Bearer {token}", "--", url]
    return Target(
        "HTTP", told, ["--http-url", url, "--allow-http", "--header", f"Authorization=Bearer {token}"]
    )


@dataclass(frozen=True)
class Clients:
    """The clients, in one home."""

    packages: Packages
    place: Place
    report: Report

    async def conformance(self, port: int) -> None:
        """Every scenario, through the door at `port`."""
        for scenario in SCENARIOS:
            await self.report.check(f"conformance {scenario}", partial(self._scenario, scenario, port))

    async def inspector(self, target: Target) -> None:
        for era, date in ERAS.items():
            name = f"mcp-inspector {date} {target.name}"
            await self.report.check(f"{name} tools/list --strict", partial(self._inspect_list, target, era))
            await self.report.check(f"{name} tools/call", partial(self._inspect_call, target, era))

    async def mcporter(self, target: Target) -> None:
        await self.report.check(f"mcporter list {target.name}", partial(self._porter_list, target))
        await self.report.check(f"mcporter call {target.name}", partial(self._porter_call, target))

    async def _scenario(self, scenario: str, port: int) -> str:
        url = f"http://127.0.0.1:{port}/mcp"
        line = [self.packages.command("conformance"), "server", "--url", url, "--scenario", scenario]
        return _counted(await self.place.run(line, PATH=self._path))

    async def _inspect_list(self, target: Target, era: str) -> str:
        done = await self._inspect(target, era, "tools/list", "--strict")
        if done.err.strip():
            raise ProblemError(f"--strict has remarks: {done.err.strip()[:600]}")
        return _all_there(done.json["tools"])

    async def _inspect_call(self, target: Target, era: str) -> str:
        words = ("--tool-name", "swarm_parallel", "--tool-args-json", ASKED)
        found = (await self._inspect(target, era, "tools/call", *words)).json
        if (SERVER_INFO in found.get("_meta", {})) != (era == "modern"):
            raise ProblemError(f"the answer is not of the era {ERAS[era]}")
        if found.get("isError"):
            raise ProblemError(found["content"][0]["text"])
        return answered(found["structuredContent"])

    async def _inspect(self, target: Target, era: str, method: str, *words: str) -> Done:
        line = [self.packages.command("mcp-inspector"), "--cli", "--method", method, "--protocol-era", era]
        return await self.place.good([*line, *words, *target.inspector], PATH=self._path)

    async def _porter_list(self, target: Target) -> str:
        line = [self.packages.command("mcporter"), "list", *target.mcporter]
        done = await self.place.good([*line, "--name", "swarm", "--json", "--exit-code"], PATH=self._path)
        if done.json["status"] != "ok":
            raise ProblemError(f"its status is {done.json['status']}")
        return _all_there(done.json["tools"])

    async def _porter_call(self, target: Target) -> str:
        line = [self.packages.command("mcporter"), "call", *target.mcporter, "--name", "swarm"]
        words = ["--tool", "swarm_parallel", "--args", ASKED, "--output", "json"]
        return answered((await self.place.good([*line, *words], PATH=self._path)).json)

    @property
    def _path(self) -> str:
        return f"{self.packages.path}:{self.place.path}"


def _counted(done: Done) -> str:
    """What the suite says of its own checks, none of which may have failed or warned."""
    lines = [line.strip() for line in done.out.splitlines()]
    counts = [line for line in lines if line.startswith("Passed:")]
    if done.status or not counts or "0 failed, 0 warnings" not in counts[-1]:
        errors = [line for line in lines if line.startswith("Error:")]
        raise ProblemError("; ".join([*counts, *errors]) or done.last)
    return counts[-1]


def _all_there(tools: list[dict[str, Any]]) -> str:
    names = [tool["name"] for tool in tools]
    if sorted(names) != sorted(BY_NAME):
        raise ProblemError(f"other tools than the ten: {names}")
    return f"{len(names)} tools"


def answered(told: dict[str, Any]) -> str:
    """That the result of `swarm_parallel` holds an answer to each of `PROMPTS`, in their order."""
    results = told["results"]
    for prompt, result in zip(PROMPTS, results, strict=True):
        if not result["ok"] or prompt not in result["text"]:
            raise ProblemError(f"{prompt} was answered with {result}")
    return f"{len(results)} answers"
