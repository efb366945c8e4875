"""Pages of results: each once, in order, with nothing between them missing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clawswarm.errors import InputError, NotFound
from clawswarm.modes.job_pages import LARGEST_PAGE, read_page
from clawswarm.store.connect import open_store
from clawswarm.store.jobs import Changes, Item, Jobs
from clawswarm.types.jobs import JobKind, JobStatus
from clawswarm.types.result import Failure, TaskResult


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with open_store(tmp_path / "swarm.db") as store:
        yield Jobs(store)


def add(jobs: Jobs, total: int, *done: int, kind: JobKind = "parallel") -> None:
    prompts = [{"prompt": f"p{number}", "id": f"id {number}"} for number in range(total)]
    request: dict[str, Any] = {"prompts": prompts, "subjects": [f"s{number}" for number in range(total)]}
    jobs.add("job", kind, request, total=total, title="t", at=1.0, most=9)
    store(jobs, *done)


def store(jobs: Jobs, *done: int) -> None:
    items = [Item(position=position, ok=True, body=body(position)) for position in done]
    jobs.write({"job": Changes(items=items)})


def body(position: int) -> bytes:
    from pydantic_core import to_json

    return to_json(TaskResult(index=position, ok=True, text=f"t{position}").as_json())


def everything(jobs: Jobs, limit: int) -> list[int]:
    """The indexes of all pages that are there."""
    found: list[int] = []
    offset: int | None = 0
    while offset is not None:
        page = read_page(jobs, "job", offset, limit)
        found += [item["index"] for item in page.items]
        if not page.items:
            break
        offset = page.next_offset
    return found


@pytest.mark.parametrize("limit", [1, 3, 10, 11, LARGEST_PAGE])
@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.COMPLETE])
def test_who_goes_on_at_the_next_offset_sees_each_result_once(
    jobs: Jobs, limit: int, status: JobStatus
) -> None:
    add(jobs, 10, *range(10))
    jobs.set_status("job", status, at=2.0)
    assert everything(jobs, limit) == list(range(10))
    last = read_page(jobs, "job", 10, limit)
    assert last.items == ()
    assert last.next_offset == (None if status.final else 10)


def test_a_page_ends_before_the_first_result_that_is_missing(jobs: Jobs) -> None:
    add(jobs, 10, 0, 1, 2, 4, 9)
    page = read_page(jobs, "job", 0, 10)
    assert [item["index"] for item in page.items] == [0, 1, 2]
    assert page.next_offset == 3
    assert read_page(jobs, "job", 3, 10).items == ()
    assert [item["index"] for item in read_page(jobs, "job", 4, 10).items] == [4]
    store(jobs, 3)
    assert [item["index"] for item in read_page(jobs, "job", 3, 10).items] == [3, 4]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_a_job_that_has_ended_keeps_the_place_of_what_was_never_done(jobs: Jobs, limit: int) -> None:
    add(jobs, 8, 1, 2, 6)
    jobs.set_status("job", JobStatus.CANCELLED, at=2.0)
    assert everything(jobs, limit) == list(range(8))
    page = read_page(jobs, "job", 0, 100)
    assert page.results == [None, "t1", "t2", None, None, None, "t6", None]
    assert page.items[5]["id"] == "id 5"
    assert page.items[5]["error"]["code"] == "cancelled"
    assert page.next_offset is None


def test_a_failed_job_tells_its_reason_in_each_place(jobs: Jobs) -> None:
    add(jobs, 3, 1)
    reason = Failure(code="not_configured", message="no key", hint="set one")
    jobs.set_status("job", JobStatus.FAILED, at=2.0, error=reason)
    page = read_page(jobs, "job", 0, 100)
    assert [item["error"] for item in page.items] == [reason.as_json(), None, reason.as_json()]
    assert page.job.error == reason


def test_subjects_that_were_never_done_keep_their_name(jobs: Jobs) -> None:
    add(jobs, 2, kind="research")
    jobs.set_status("job", JobStatus.CANCELLED, at=2.0)
    page = read_page(jobs, "job", 0, 100)
    assert [(item["index"], item["subject"], item["ok"]) for item in page.items] == [
        (0, "s0", False),
        (1, "s1", False),
    ]
    assert page.results == [None, None]
    assert page.as_json()["subjects"] == list(page.items)


def test_a_page_beyond_the_end_is_empty(jobs: Jobs) -> None:
    add(jobs, 2, 0, 1)
    assert read_page(jobs, "job", 50, 10).items == ()
    jobs.set_status("job", JobStatus.COMPLETE, at=2.0)
    assert read_page(jobs, "job", 50, 10).next_offset is None


@pytest.mark.parametrize(("offset", "limit"), [(-1, 1), (0, 0), (0, -1), (0, LARGEST_PAGE + 1)])
def test_a_page_out_of_range_is_refused(jobs: Jobs, offset: int, limit: int) -> None:
    add(jobs, 2)
    with pytest.raises(InputError, match=f"not {offset} and {limit}"):
        read_page(jobs, "job", offset, limit)


def test_no_job_is_not_found(jobs: Jobs) -> None:
    with pytest.raises(NotFound, match="no job 'x'") as told:
        read_page(jobs, "x", 0, 1)
    assert told.value.hint == "see: swarm jobs list"


def test_the_numbers_of_the_whole_come_with_the_pages_of_a_complete_job(jobs: Jobs) -> None:
    add(jobs, 1, 0)
    assert read_page(jobs, "job", 0, 1).whole is None
    jobs.set_status("job", JobStatus.COMPLETE, at=2.0, whole={"stats": {"total": 1}})
    assert read_page(jobs, "job", 0, 1).as_json()["stats"] == {"total": 1}
