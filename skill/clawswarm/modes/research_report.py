"""A research as Markdown. Pure; what models and pages wrote cannot become headings, links or tables."""

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from clawswarm.types.money import show_usd
from clawswarm.types.research import Claim, ResearchStats, Source, SubjectResult
from clawswarm.web.injection import visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")
_MEANT_AT_ENDS = re.compile(r"^(?=[#>+=-])|^\d+(?=[.)])|(?<= )(?=#+$)")
"""What is special where a line begins, and where a heading ends."""
_IN_ADDRESSES = re.compile(r"(?=://)|(?<=www)(?=\.)", re.IGNORECASE)
"""Places in what becomes a link by itself."""
_ENTITY = re.compile(r"&(?=#?\w+;)")
"""What is taken for another character inside a target."""

SERVICES = {
    "gemini": "Google Search",
    "ollama": "Ollama web search",
    "brave": "Brave Search",
    "searxng": "SearXNG",
    "duckduckgo": "DuckDuckGo",
}


def render(
    topic: str,
    depth: str,
    search: str,
    subjects: tuple[SubjectResult, ...],
    comparison: str | None,
    stats: ResearchStats,
    now: datetime,
) -> str:
    """The report."""
    about = f": {inline(topic)}" if topic else ""
    lines = [f"# Research{about}", "", _facts(depth, search, stats, now), ""]
    if search == "gemini":
        lines += [
            "*Grounded by Google Search: the pages were not read here, so no quote was checked.*",
            "",
        ]
    for subject in subjects:
        lines += _subject(subject)
    if comparison is not None:
        lines += ["## Comparison", "", *paragraphs(comparison), ""]
    lines += _not_found(subjects)
    lines += _sources(source for subject in subjects for source in subject.sources)
    return "\n".join(lines).rstrip() + "\n"


def _facts(depth: str, search: str, stats: ResearchStats, now: datetime) -> str:
    parts = [
        now.astimezone().strftime("%Y-%m-%d %H:%M"),
        f"{stats.successful} of {stats.total} subjects",
        f"{depth} depth",
        f"pages found by {SERVICES.get(search, search)}",
        f"{stats.verified_claims} of {stats.claims} claims verified",
        f"model calls: {show_usd(stats.cost_pico)}",
    ]
    return " · ".join(parts)


def _subject(subject: SubjectResult) -> list[str]:
    lines = [f"## {inline(subject.subject)}", ""]
    if subject.error is not None:
        return [*lines, f"✗ {inline(subject.error.message)}", ""]
    lines += [*paragraphs(subject.analysis or ""), ""]
    if subject.claims:
        lines += [_claim(claim) for claim in subject.claims]
        lines.append("")
    return lines


def _claim(claim: Claim) -> str:
    mark = "" if claim.verified else "⚠️ *unverified:* "
    number = "" if claim.source is None else f" [{claim.source}]"
    words = f" — “{inline(claim.quote)}”" if claim.quote else ""
    return f"- {mark}{inline(claim.text)}{number}{words}"


def _not_found(subjects: Iterable[SubjectResult]) -> list[str]:
    lines: list[str] = []
    for subject in subjects:
        name = inline(subject.subject)
        if subject.error is not None:
            lines.append(f"- {name}: nothing, for the reason above")
        lines += [f"- {name}: {inline(text)}" for text in subject.not_found]
    return ["## Not found", "", *lines, ""] if lines else []


def _sources(sources: Iterable[Source]) -> list[str]:
    lines: list[str] = []
    for source in sorted(sources, key=lambda source: source.number):
        unread = "" if source.fetched else f" (not read: {inline(source.trouble or 'unknown')})"
        link = f"[{inline(source.title or source.url)}](<{safe_url(source.url)}>)"
        lines.append(f"- [{source.number}] {link}{unread}")  # a numbered list would be counted anew
        lines += [
            f"  - ⚠️ holds text that looks like instructions to a model: “{inline(passage)}”"
            for passage in source.suspicious
        ]
    return ["## Sources", "", *lines, ""] if lines else []


def inline(text: str) -> str:
    """One line of plain text, as Markdown that shows exactly it."""
    flat = _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))
    return _MEANT_AT_ENDS.sub(r"\g<0>\\", _IN_ADDRESSES.sub(r"\\", flat))


def paragraphs(text: str) -> list[str]:
    """Paragraphs of plain text, with an empty line between two."""
    parts = [inline(part) for part in re.split(r"\n\s*\n", text.strip())]
    return [line for part in parts if part for line in (part, "")][:-1]


def safe_url(url: str) -> str:
    """An address as the target of a link, which it cannot end; nothing, where it is none of the web."""
    if not url.startswith(("http://", "https://")):
        return ""
    return _ENTITY.sub("&amp;", quote(url, safe=":/?#@!$&'()*+,;=%-._~[]"))
