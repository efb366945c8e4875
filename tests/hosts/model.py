"""The model of OpenClaw's agent, scripted: it searches for a tool, reads up on it, calls it, and tells.

It knows nothing of the tool but what it reads in the host's words, and stops where these do not let it go on.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

from tests.fakes.behaviours import Behaviour, Call, Say
from tests.fakes.common import objects, text_of
from tests.fakes.openai import FakeOpenAI
from tests.fakes.wire import Seen
from tests.hosts.clients import PROMPTS

WANTED = "summarize many items in parallel"
"""What the agent searches for: the words of a user, not the tool's name."""

TOOL = "swarm__swarm_parallel"
SKILL = "<name>swarm</name>"

_QUOTED = re.compile(
    r"^<<<EXTERNAL_UNTRUSTED_CONTENT[^\n]*\n.*?^---\n(.*)^<<<END_EXTERNAL", re.DOTALL | re.MULTILINE
)


@dataclass
class Script:
    """What the model was shown, and what it makes of it."""

    tools: list[str] = field(default_factory=list[str])
    knows_skill: bool = False
    found: list[str] = field(default_factory=list[str])
    parameters: list[str] = field(default_factory=list[str])
    told: dict[str, Any] = field(default_factory=dict[str, Any])

    def respond(self, seen: Seen) -> Behaviour:
        """The next step after the results that came so far."""
        body = seen.json
        self.tools = [tool["function"]["name"] for tool in objects(body.get("tools"))]
        messages = objects(body.get("messages"))
        self.knows_skill |= any(SKILL in text_of(message.get("content")) for message in messages)
        results = [text_of(message.get("content")) for message in messages if message.get("role") == "tool"]
        try:
            return self._next(results)
        except (LookupError, TypeError, ValueError) as error:
            return Say(text=f"I cannot go on ({error!r}) after: {results[-1:]}")

    def _next(self, results: list[str]) -> Say:
        match len(results):
            case 0:
                return _call(1, "tool_search", query=WANTED)
            case 1:
                self.found = [str(hit["name"]) for hit in _quoted(results[0])]
                return _call(2, "tool_describe", id=self.found[self.found.index(TOOL)])
            case 2:
                described = _quoted(results[1])
                self.parameters = list(described["parameters"]["properties"])
                return _call(3, "tool_call", id=described["id"], args={"prompts": list(PROMPTS)})
            case _:
                answer = _quoted(results[2])["result"]["content"][0]["text"]
                self.told = cast("dict[str, Any]", json.loads(answer.removeprefix("structuredContent:")))
                return Say(text="\n".join(result["text"] for result in self.told["results"]))


def scripted(script: Script) -> FakeOpenAI:
    """The vendor's API on loopback, with the script behind it."""
    vendor = FakeOpenAI("local")
    vendor.respond = script.respond
    return vendor


def _call(number: int, name: str, **arguments: Any) -> Say:
    return Say(tool_calls=(Call(name, arguments, f"call_{number}"),))


def _quoted(text: str) -> Any:
    """What the host quotes in a result, as data."""
    found = _QUOTED.search(text)
    return json.loads(found[1] if found else text)
