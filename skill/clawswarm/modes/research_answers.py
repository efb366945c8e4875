"""From a model's answer to a subject's result. Pure: here a claim becomes verified, or does not."""

from collections.abc import Iterator
from typing import Any

from clawswarm.modes.research_plan import MOST_CLAIMS
from clawswarm.modes.research_quotes import normal, stands_in
from clawswarm.types.research import Claim, Source, SubjectResult
from clawswarm.types.result import FoundPage, Support, TaskResult
from clawswarm.web.extract import PageText

UNREAD = "found by the provider's own search, not read here"


def analyzed(
    index: int, subject: str, answer: TaskResult, sources: list[Source], pages: list[PageText]
) -> SubjectResult:
    """What a model says that `pages` say; every quote is looked up in them.

    Args:
        sources: of the subject, those that could not be read among them; those that could are in the order
            of `pages`, which is how the model was given them.
    """
    if answer.error is not None:
        return SubjectResult(
            index=index,
            subject=subject,
            ok=False,
            sources=tuple(sources),
            error=answer.error,
            cost_pico=answer.cost_pico,
        )
    read = [source for source in sources if source.fetched]
    texts = [normal(page.text) for page in pages]
    document: dict[str, Any] = answer.data
    claims = [_claim(item, read, texts) for item in document["claims"][:MOST_CLAIMS]]
    return SubjectResult(
        index=index,
        subject=subject,
        ok=True,
        analysis=document["summary"].strip(),
        claims=tuple(claim for claim in claims if claim.text),
        sources=tuple(sources),
        not_found=tuple(text.strip() for text in document["not_found"] if text.strip()),
        cost_pico=answer.cost_pico,
    )


def _claim(item: dict[str, Any], sources: list[Source], texts: list[str]) -> Claim:
    """A claim with the source in which its quote stands: the one it names, else any other of the subject."""
    quote: str = item["quote"].strip()
    named = int(item["source"]) - 1  # 1.0 is a whole number in JSON
    order = [named, *range(len(texts))] if 0 <= named < len(texts) else list(range(len(texts)))
    for at in order:
        if stands_in(quote, texts[at]):
            return Claim(text=item["text"].strip(), quote=quote, source=sources[at].number, verified=True)
    number = sources[named].number if 0 <= named < len(sources) else None
    return Claim(text=item["text"].strip(), quote=quote or None, source=number, verified=False)


def grounded_result(index: int, subject: str, answer: TaskResult, numbers: Iterator[int]) -> SubjectResult:
    """What a provider says that its own search found. Nothing was read here, so nothing is verified."""
    if answer.error is not None:
        return SubjectResult(
            index=index, subject=subject, ok=False, error=answer.error, cost_pico=answer.cost_pico
        )
    grounding = answer.grounding
    pages: tuple[FoundPage, ...] = () if grounding is None else grounding.pages
    sources = tuple(
        Source(number=next(numbers), url=page.url, title=page.title, fetched=False, trouble=UNREAD)
        for page in pages
    )
    supports: tuple[Support, ...] = () if grounding is None else grounding.supports
    claims = tuple(
        Claim(
            text=support.text.strip(),
            quote=None,
            source=next((sources[at].number for at in support.pages if at < len(sources)), None),
            verified=False,
        )
        for support in supports[:MOST_CLAIMS]
        if support.text.strip()
    )
    missing = () if pages else ("the provider's search named no source for this",)
    return SubjectResult(
        index=index,
        subject=subject,
        ok=True,
        analysis=(answer.text or "").strip(),
        claims=claims,
        sources=sources,
        not_found=missing,
        cost_pico=answer.cost_pico,
    )
