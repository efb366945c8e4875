"""The real OpenClaw, with Swarm as `./install.sh` leaves it there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clawswarm_mcp.catalog import BY_NAME
from tests.hosts.clients import PROMPTS, answered
from tests.hosts.commands import Done, Place, ProblemError
from tests.hosts.model import TOOL, Script, scripted
from tests.hosts.packages import Packages
from tests.hosts.report import Report
from tests.install.users import user_environment

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLING = 300
"""Seconds for an installation whose wheels are not cached."""


@dataclass(frozen=True)
class OpenClaw:
    """The host, in a home of its own, without a daemon."""

    packages: Packages
    place: Place
    report: Report

    async def checks(self) -> None:
        if not await self.report.check("openclaw ./install.sh", self._install):
            return
        await self.report.check("openclaw skills: swarm is eligible", self._skill)
        await self.report.check("openclaw mcp probe", self._probe)
        await self.report.check("openclaw mcp doctor --probe", self._doctor)
        await self.report.check("openclaw agent: searches, calls, gets the answers", self._turn)

    async def _install(self) -> str:
        """Without the caller's environment but for pip's settings."""
        (self.place.home / ".openclaw").mkdir()
        settings = user_environment(self.place.home)
        pip = {name: value for name, value in settings.items() if name.startswith("PIP_")}
        line = ["/bin/sh", str(REPOSITORY / "install.sh")]
        done = await self.place.good(line, patience=INSTALLING, PATH=self._path, **pip)
        [said] = [line for line in done.out.splitlines() if line.startswith("OpenClaw:")]
        if "registered" not in said:
            raise ProblemError(said)
        return said.removeprefix("OpenClaw: ")

    async def _skill(self) -> str:
        about = (await self._host("skills", "info", "swarm", "--json")).json
        if not (about["eligible"] and about["modelVisible"]) or any(about["missing"].values()):
            raise ProblemError(f"it is not eligible: {about}")
        listed = (await self._host("skills", "list", "--eligible", "--json")).json
        if "swarm" not in [skill["name"] for skill in listed["skills"]]:
            raise ProblemError("it is not among the eligible skills")
        return "listed"

    async def _probe(self) -> str:
        found = (await self._host("mcp", "probe", "swarm", "--json")).json
        server = found["servers"]["swarm"]
        missing = {f"swarm__{name}" for name in BY_NAME} - set(found["tools"])
        if found["diagnostics"] or missing or server["tools"] != len(BY_NAME):
            raise ProblemError(f"missing: {sorted(missing)}; {found['diagnostics']}; {server}")
        if not server["supportsParallelToolCalls"]:
            raise ProblemError("it was not registered with --parallel")
        return f"{server['tools']} tools, no diagnostics"

    async def _doctor(self) -> str:
        found = (await self._host("mcp", "doctor", "swarm", "--probe", "--json")).json
        [server] = found["servers"]
        if not found["ok"] or not server["ok"] or server["issues"]:
            raise ProblemError(f"not clean: {server}")
        return "no issues"

    async def _turn(self) -> str:
        script = Script()
        async with scripted(script) as vendor:
            await self._use(vendor.base_url)
            words = ["--local", "--agent", "main", "--json", "--message", "Ask these two things at once."]
            reply = (await self._host("agent", *words)).json
        said = "\n".join(str(payload.get("text")) for payload in reply["payloads"])
        if not script.told:
            raise ProblemError(
                f"the tool was not called. Offered: {script.tools}; found: {script.found}; {said[:900]}"
            )
        if not script.knows_skill:
            raise ProblemError("the skill is not in the model's instructions")
        if script.found[0] != TOOL:
            raise ProblemError(f"{TOOL} is not the first hit of the search: {script.found}")
        if not all(prompt in said for prompt in PROMPTS):
            raise ProblemError(f"the answers did not reach the user: {said[:900]}")
        return f"first of {len(script.found)} hits, {answered(script.told)}"

    async def _use(self, url: str) -> None:
        """Make the scripted model the host's only one."""
        model = {"id": "scripted", "name": "scripted", "contextWindow": 128_000, "maxTokens": 4_000}
        vendor = {"baseUrl": url, "apiKey": "none", "api": "openai-completions", "models": [model]}
        patch: dict[str, Any] = {
            "models": {"mode": "replace", "providers": {"loopback": vendor}},
            "agents": {"defaults": {"model": {"primary": "loopback/scripted"}}},
        }
        file = self.place.home / "patch.json"
        file.write_text(json.dumps(patch), encoding="utf-8")
        await self._host("config", "patch", "--file", str(file))

    async def _host(self, *words: str) -> Done:
        return await self.place.good([self.packages.command("openclaw"), *words], PATH=self._path)

    @property
    def _path(self) -> str:
        return f"{self.packages.path}:{self.place.path}"
