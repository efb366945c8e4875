"""A small web on loopback for researches: a site, a search service, and a model that reads what it is sent.

The model answers from its own prompt only, so that what it says about a subject names the subject that was
asked about: an answer that went to another place would be seen.
"""

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
from aiohttp.abc import AbstractResolver, ResolveResult

from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.config.model import Prices, Provider, Settings
from clawswarm.modes.requests import read_research
from clawswarm.modes.research import research
from clawswarm.types.requests import ResearchRequest
from clawswarm.types.research import (
    PhaseStarted,
    ResearchComplete,
    ResearchEvent,
    ResearchResult,
    ResearchStarted,
    StepFinished,
)
from clawswarm.types.result import Failure
from clawswarm.web.web import Web, open_web
from tests.fakes.behaviours import Behaviour, Say
from tests.fakes.common import last_user_text, objects, text_of
from tests.fakes.openai import FakeOpenAI
from tests.fakes.search import FakeSearch, FakeSearXNG, Result
from tests.fakes.site import FakeSite
from tests.fakes.wire import Seen

PATIENCE = 25
"""Seconds that a test may wait, so that one that hangs says where."""

PLAIN = "text/plain; charset=utf-8"
_PAGES = re.compile(
    r"^=== (\w+) page (\d+) begins ===\n(.*?)\n=== \1 page \2 ends ===$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Question:
    """What the model was asked."""

    seen: Seen

    @property
    def text(self) -> str:
        return last_user_text(self.seen.json["messages"])

    @property
    def system(self) -> str:
        return text_of(objects(self.seen.json["messages"])[0]["content"])

    @property
    def compares(self) -> bool:
        return not self.text.startswith("Subject: ")

    @property
    def subject(self) -> str:
        """The subject of an analysis."""
        return self.text.split("\n", 1)[0].removeprefix("Subject: ")

    @property
    def pages(self) -> list[str]:
        """The texts behind the marks."""
        return [found[3] for found in _PAGES.finditer(self.text)]


def say(
    subject: str,
    claims: Sequence[tuple[str, str, int | float]] = (),
    *,
    not_found: Sequence[str] = (),
    summary: str | None = None,
) -> Say:
    """An analysis. Claims are text, quote and number of the page."""
    document = {
        "summary": f"About {subject}." if summary is None else summary,
        "claims": [{"text": text, "quote": quote, "source": source} for text, quote, source in claims],
        "not_found": list(not_found),
    }
    return Say(text=json.dumps(document, ensure_ascii=False), input_tokens=100, output_tokens=20)


def reads(question: Question) -> Behaviour:
    """One claim for each page, with its first words as the quote."""
    if question.compares:
        return Say(text="They differ.", input_tokens=50, output_tokens=10)
    claims = [
        (f"{question.subject} by page {number}", " ".join(page.split()[:8]), number)
        for number, page in enumerate(question.pages, 1)
    ]
    return say(question.subject, claims)


def words(subject: str, page: int = 0) -> str:
    """The text of a page about a subject."""
    founded = f"{subject} was founded in the year {1900 + page} and is still at work today."
    return f"{founded}\n\nNothing else is known."


@dataclass
class World:
    """A user's home with everything that a research reaches.

    Attributes:
        answer: what the model does with a question.
        sections: configuration by section.
    """

    home: Path
    site: FakeSite
    search: FakeSearch
    model: FakeOpenAI
    answer: Callable[[Question], Behaviour] = reads
    sections: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    environ: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.model.respond = lambda seen: self.answer(Question(seen))
        self.environ |= {
            "HOME": str(self.home),
            "SWARM_MEMORY_DIR": str(self.home / "memory"),
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": self.model.base_url,
            **self.search.environ,
        }

    @property
    def settings(self) -> Settings:
        prices = Prices(input=Decimal(1), output=Decimal(2))
        found: dict[str, Any] = {"allow_loopback": True}
        if isinstance(self.search, FakeSearXNG):
            found["searxng_url"] = self.search.base_url
        defaults: dict[str, dict[str, Any]] = {
            "limits": {"max_retries": 0, "max_nodes": 32, "max_concurrent_api": 32},
            "cache": {"enabled": False},
            "research": found,
        }
        merged = {
            name: defaults.get(name, {}) | self.sections.get(name, {})
            for name in defaults.keys() | self.sections.keys()
        }
        provider = Provider(name="openai", base_url=self.model.base_url, prices=prices, max_tokens=1000)
        return Settings.model_validate({"provider": provider, **merged})

    @property
    def questions(self) -> list[Question]:
        return [Question(seen) for seen in self.model.calls]

    @property
    def asked(self) -> list[str]:
        """The subjects of all analyses, as they were asked for."""
        return [question.subject for question in self.questions if not question.compares]

    def knows(self, subject: str, *texts: str, host: str | None = None) -> list[str]:
        """Pages about a subject, which the search finds; their addresses."""
        slug = subject.lower().replace(" ", "-")
        paths = [f"/{slug}/{number}" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            self.site.page(path, text, kind=PLAIN)
        urls = [self.site.url(path, host=host) for path in paths]
        self.finds(subject, *urls)
        return urls

    def finds(self, subject: str, *urls: str) -> None:
        """What the search finds for a subject."""
        self.search.answers[subject] = [
            Result(f"{subject}, page {number}", url, "a snippet") for number, url in enumerate(urls)
        ]

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[LocalSwarm]:
        with anyio.fail_after(PATIENCE):
            async with open_local(self.settings, self.environ) as swarm:
                yield swarm

    @asynccontextmanager
    async def named(self) -> AsyncGenerator[tuple[LocalSwarm, Web]]:
        """A swarm, and a web in which every name leads to this machine."""
        async with (
            self.open() as swarm,
            open_web(self.settings, self.environ, clock=swarm.engine.clock, resolver=Everywhere()) as web,
        ):
            yield swarm, web

    async def research(self, *subjects: str, topic: str = "", **options: Any) -> "Course":
        """A whole research in a process of its own."""
        async with self.open() as swarm:
            return await course(swarm, *subjects, topic=topic, **options)


@dataclass
class Course:
    """A research that was listened to."""

    events: list[ResearchEvent]

    @property
    def result(self) -> ResearchResult:
        last = self.events[-1]
        assert isinstance(last, ResearchComplete)
        return last.result

    @property
    def phases(self) -> list[tuple[str, int, int, int]]:
        return [
            (event.phase, event.number, event.of, event.total)
            for event in self.events
            if isinstance(event, PhaseStarted)
        ]

    @property
    def started(self) -> ResearchStarted:
        first = self.events[0]
        assert isinstance(first, ResearchStarted)
        return first

    def steps(self, phase: str) -> list[StepFinished]:
        return [event for event in self.events if isinstance(event, StepFinished) and event.phase == phase]

    def error(self, index: int) -> Failure:
        """Why a subject failed."""
        subject = self.result.subjects[index]
        assert not subject.ok
        assert subject.error is not None
        return subject.error


def request_of(*subjects: str, topic: str = "", depth: str = "quick", **options: Any) -> ResearchRequest:
    return read_research({"subjects": list(subjects), "topic": topic, "depth": depth, **options})


async def course(swarm: LocalSwarm, *subjects: str, **options: Any) -> Course:
    events: list[ResearchEvent] = []

    async def emit(event: ResearchEvent) -> None:
        events.append(event)

    await swarm.research(request_of(*subjects, **options), emit)
    return Course(events)


async def course_of(swarm: LocalSwarm, web: Web, request: ResearchRequest, **hooks: Any) -> Course:
    """As `course`, on this web, with what else `research` takes."""
    events: list[ResearchEvent] = []

    async def emit(event: ResearchEvent) -> None:
        events.append(event)

    await research(swarm.engine, web, request, emit, **hooks)
    return Course(events)


class Everywhere(AbstractResolver):
    """Leads every name to this machine; one it trips over."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        if host == "stumble.example":
            raise RuntimeError("nobody foresaw this")
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def a_world(
    home: Path, search: FakeSearch | None = None, sections: Mapping[str, dict[str, Any]] | None = None
) -> AsyncGenerator[World]:
    """A world until the block ends; SearXNG searches in it, if no other service is named."""
    async with FakeSite() as site, search or FakeSearXNG() as searching, FakeOpenAI() as model:
        yield World(home, site, searching, model, sections=dict(sections or {}))
