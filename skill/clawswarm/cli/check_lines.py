"""Checks on a screen: a sign, a name, what was seen, and the fix below it."""

from collections.abc import Mapping

from clawswarm.engine.checks import Check, Report, Status

_WORDS: dict[Status, str] = {
    "ok": "fine",
    "warn": "to look at",
    "fail": "failed",
    "unknown": "not known",
    "skipped": "not asked",
}


def report_lines(report: Report, signs: Mapping[Status, str]) -> list[str]:
    """Every check, and how many there are of each kind. The signs are two columns wide."""
    width = max(len(check.name) for check in report.checks)
    lines = [line for check in report.checks for line in _lines(check, width, signs[check.status])]
    counts = [(report.count(status), words) for status, words in _WORDS.items()]
    return [*lines, "", ", ".join(f"{count} {words}" for count, words in counts if count)]


def _lines(check: Check, width: int, sign: str) -> list[str]:
    head, *more = check.seen.splitlines() or [""]
    lines = [f"{sign} {check.name:<{width}}  {head}"]
    indent = " " * (width + 5)
    lines += [f"{indent}{line}" for line in more]
    for place, line in enumerate((check.fix or "").splitlines()):
        lines.append(f"{indent}{'→ ' if place == 0 else '  '}{line}")
    return lines
