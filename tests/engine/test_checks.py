"""Checks are asked at once, within a time, and none of them can hide another."""

import anyio
import pytest

from clawswarm.engine.checks import Check, Question, Report, answer
from clawswarm.engine.redact import MASK, Redactor
from clawswarm.errors import ConfigError

pytestmark = pytest.mark.anyio

SECRET = "a-key-nobody-may-see"


def fine(name: str) -> Check:
    return Check(name=name, status="ok", seen="it is there")


async def test_answers_come_in_the_order_of_the_questions() -> None:
    first_may_end = anyio.Event()

    async def first() -> list[Check]:
        await first_may_end.wait()
        return [fine("a"), fine("b")]

    async def second() -> list[Check]:
        first_may_end.set()
        return [fine("c")]

    checks = await answer([Question("one", first), Question("two", second)], Redactor(()))
    assert [check.name for check in checks] == ["a", "b", "c"]


async def test_what_breaks_hangs_or_refuses_is_an_answer_too() -> None:
    async def breaks() -> list[Check]:
        raise RuntimeError(f"boom {SECRET}")

    async def refuses() -> list[Check]:
        raise ConfigError(f"bad {SECRET}", hint="mend it")

    async def hangs() -> list[Check]:
        await anyio.sleep_forever()
        return []

    async def well() -> list[Check]:
        return [fine("well")]

    questions = [
        Question("breaks", breaks),
        Question("refuses", refuses),
        Question("hangs", hangs, 0.01),
        Question("well", well),
    ]
    checks = await answer(questions, Redactor([SECRET]))
    assert [check.status for check in checks] == ["fail", "fail", "fail", "ok"]
    assert checks[0].seen == f"the check itself failed: RuntimeError: boom {MASK}"
    assert (checks[1].seen, checks[1].fix) == (f"bad {MASK}", "mend it")
    assert checks[2].seen == "no answer within 0.01 s"
    assert all(check.fix for check in checks if check.status == "fail")


def test_a_failed_check_without_a_fix_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="names no fix"):
        Check(name="disk", status="fail", seen="full")


def test_a_report_counts_and_fails_only_for_failures() -> None:
    warned = Check(name="b", status="warn", seen="hm")
    report = Report((fine("a"), warned), configured=True)
    assert report.ok
    assert (report.count("ok"), report.count("warn"), report.count("fail")) == (1, 1, 0)
    failed = Check(name="c", status="fail", seen="no", fix="do")
    assert Report((failed,), configured=True).as_json() == {
        "ok": False,
        "configured": True,
        "checks": [{"name": "c", "status": "fail", "seen": "no", "fix": "do", "details": {}}],
    }
