"""What a research finds: sources, claims with the quotes they rest on, and what it tells while it runs.

A claim is `verified` only where its quote stands in the fetched text of its source. Numbers that are not
known are None.
"""

from dataclasses import dataclass
from typing import Any, Literal

from clawswarm.types.money import to_usd
from clawswarm.types.result import Failure

PhaseName = Literal["search", "fetch", "analyze", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A page that was found for a subject.

    Attributes:
        number: its place in the report's list of sources, counted from 1 over all subjects.
        fetched: whether its text was read; `trouble` says why not.
        suspicious: passages that look like instructions to a model, shortened; reported, never followed.
    """

    number: int
    url: str
    title: str
    fetched: bool
    trouble: str | None = None
    suspicious: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "url": self.url,
            "title": self.title,
            "fetched": self.fetched,
            "trouble": self.trouble,
            "suspicious": list(self.suspicious),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement about a subject.

    Attributes:
        quote: the words of the source that it rests on; None where the model gave none.
        source: the number of the source; None where it named none that exists.
        verified: whether the quote was found in the text of that source.
    """

    text: str
    quote: str | None
    source: int | None
    verified: bool

    def as_json(self) -> dict[str, Any]:
        return {"text": self.text, "quote": self.quote, "source": self.source, "verified": self.verified}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult:
    """What was found about one subject; `error` says why there is nothing.

    Attributes:
        not_found: what was looked for in vain, in words.
        cost_pico: what the model calls about it cost, in picodollars; None when that is not known.
    """

    index: int
    subject: str
    ok: bool
    analysis: str | None = None
    claims: tuple[Claim, ...] = ()
    sources: tuple[Source, ...] = ()
    not_found: tuple[str, ...] = ()
    error: Failure | None = None
    cost_pico: int | None = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "subject": self.subject,
            "ok": self.ok,
            "analysis": self.analysis,
            "claims": [claim.as_json() for claim in self.claims],
            "sources": [source.as_json() for source in self.sources],
            "not_found": list(self.not_found),
            "error": None if self.error is None else self.error.as_json(),
            "cost_usd": to_usd(self.cost_pico),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResearchStats:
    """The numbers of a research.

    Attributes:
        successful, failed: subjects.
        model_calls: calls to models that were made; where a job was taken up again, since then.
        input_tokens, output_tokens: None, too, where a job was taken up again.
        pages_fetched: pages whose text was read.
        claims, verified_claims: over all subjects.
        speedup: measured; the time its steps took one after another divided by the time it took.
    """

    total: int
    successful: int
    failed: int
    total_duration_ms: int
    model_calls: int
    pages_fetched: int
    claims: int
    verified_claims: int
    speedup: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_pico: int | None

    @property
    def cost_usd(self) -> float | None:
        return to_usd(self.cost_pico)

    def as_json(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "successful": self.successful,
            "failed": self.failed,
            "total_duration_ms": self.total_duration_ms,
            "model_calls": self.model_calls,
            "pages_fetched": self.pages_fetched,
            "claims": self.claims,
            "verified_claims": self.verified_claims,
            "speedup": self.speedup,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResearchResult:
    """A finished research. `report` is the whole of it as Markdown, with numbered sources."""

    topic: str
    depth: str
    search: str
    subjects: tuple[SubjectResult, ...]
    comparison: str | None
    stats: ResearchStats
    report: str

    def as_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "depth": self.depth,
            "search": self.search,
            "subjects": [subject.as_json() for subject in self.subjects],
            "comparison": self.comparison,
            "stats": self.stats.as_json(),
            "report": self.report,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResearchStarted:
    """The research was accepted. `phases` is what will be done, `search` who is asked for pages."""

    total: int
    phases: tuple[PhaseName, ...]
    workers: int
    provider: str
    model: str
    search: str
    event: Literal["start"] = "start"

    def as_json(self) -> dict[str, Any]:
        return {
            "event": "start",
            "total": self.total,
            "phases": list(self.phases),
            "workers": self.workers,
            "provider": self.provider,
            "model": self.model,
            "search": self.search,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted:
    """A phase begins with `total` steps. `number` counts from 1."""

    phase: PhaseName
    number: int
    of: int
    total: int
    event: Literal["phase"] = "phase"

    def as_json(self) -> dict[str, Any]:
        return {
            "event": "phase",
            "phase": self.phase,
            "number": self.number,
            "of": self.of,
            "total": self.total,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """One step of the current phase has ended: for a subject, or for the comparison.

    Attributes:
        index: of the subject; None for the comparison, which is about all.
        detail: in a few words, what came of it: "5 pages found", or why nothing did.
    """

    phase: PhaseName
    index: int | None
    subject: str
    ok: bool
    duration_ms: int
    detail: str
    event: Literal["progress"] = "progress"

    def as_json(self) -> dict[str, Any]:
        return {
            "event": "progress",
            "phase": self.phase,
            "index": self.index,
            "subject": self.subject,
            "ok": self.ok,
            "duration_ms": self.duration_ms,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResearchComplete:
    """Every subject has its result."""

    result: ResearchResult
    event: Literal["complete"] = "complete"

    def as_json(self) -> dict[str, Any]:
        result = self.result
        return {
            "event": "complete",
            "results": [subject.analysis for subject in result.subjects],
            **result.as_json(),
            "cost": result.stats.cost_usd,
        }


ResearchEvent = ResearchStarted | PhaseStarted | StepFinished | ResearchComplete
