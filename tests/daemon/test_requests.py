"""A request that cannot be used is refused before anything is sent: a 4xx with an error in JSON."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from tests.daemon.raw import exchange, read_answer
from tests.daemon.served import TOKEN, Served, serve, settings_of

pytestmark = pytest.mark.anyio

HEAD = f"POST /parallel HTTP/1.1\nHost: 127.0.0.1:{{port}}\nAuthorization: Bearer {TOKEN}"
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    limits = {"max_body_mb": 0.01, "max_prompts": 50}
    async with serve(settings_of(daemon=limits), home=tmp_path_factory.mktemp("home")) as served:
        yield served


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "prompts: Field required"),
    ({"prompts": []}, "prompts: List should have at least 1 item"),
    ({"prompts": "one"}, "prompts: Input should be a valid list"),
    ({"prompts": ["fine", ""]}, "prompts.1"),
    ({"prompts": ["fine", " \n"]}, "prompt 1: the prompt is empty"),
    ({"prompts": ["fine", None]}, "prompts.1"),
    ({"prompts": [{"system": "no prompt"}]}, "prompts.0.prompt: Field required"),
    ({"prompts": [{"prompt": "a", "max_tokens": 0}]}, "prompts.0.max_tokens"),
    ({"prompts": [{"prompt": "a", "max_tokenz": 5}]}, "prompts.0.max_tokenz: Extra inputs"),
    ({"prompts": ["a"], "concurrency": 0}, "concurrency: Input should be greater than or equal to 1"),
    ({"prompts": ["a"], "concurrency": "4"}, "concurrency: Input should be a valid integer"),
    ({"prompts": ["a"], "cache": "yes"}, "cache: Input should be a valid boolean"),
    ({"prompts": ["a"], "temperature": 2.5}, "temperature: Input should be less than or equal to 2"),
    ({"prompts": ["a"], "timeout": 0}, "timeout: Input should be greater than or equal to 0.001"),
    ({"prompts": ["a"], "max_spend": -1}, "max_spend"),
    ({"prompts": ["a"], "max_spend": "much"}, "max_spend"),
    ({"prompts": ["a"], "provider": "nobody"}, "provider: Input should be 'gemini'"),
    ({"prompts": ["a"], "thinking": "hard"}, "thinking: Input should be 'off'"),
    ({"prompts": ["a"], "schema": {"type": "objekt"}}, "prompt 0: "),
    ({"prompts": ["a"], "prompt": "typo"}, "prompt: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("body", "message"), BAD, ids=lambda value: str(value)[:40])
async def test_a_field_that_cannot_be_used_is_named(
    served: Served, body: dict[str, Any], message: str
) -> None:
    answer = await served.ask("POST", "/parallel", body)
    assert (answer.status, answer.code) == (422, "bad_input")
    assert answer.json["error"]["message"].startswith(message)
    job = await served.ask("POST", "/jobs", {"kind": "parallel", **body})
    assert (job.status, job.code) == (422, "bad_input")
    assert job.json["error"]["message"].removeprefix("parallel.") == answer.json["error"]["message"]
    assert served.serving.observer.tasks == 0


async def test_no_value_of_the_request_comes_back_in_the_refusal(served: Served) -> None:
    secret = "sk-live-this-is-in-the-wrong-field"
    for body in ({"prompts": [{"prompt": 5, "id": secret}]}, {"prompts": ["a"], "thinking": secret}):
        answer = await served.ask("POST", "/parallel", body)
        assert answer.status == 422
        assert secret not in answer.body.decode()


async def test_many_mistakes_are_told_shortly(served: Served) -> None:
    answer = await served.ask("POST", "/parallel", {"prompts": [None] * 40})
    assert answer.status == 422
    assert answer.json["error"]["message"].endswith("more)")
    assert len(answer.body) < 1000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"prompts": ["a"]',
        b"[" * 5000,
        b'{"prompts": ["\xff"]}',
        b'{"a":' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "open", "word", "cut", "deep", "no utf-8", "a huge number"],
)
async def test_what_is_no_json_is_refused(served: Served, body: bytes) -> None:
    head = f"{HEAD}\n{JSON}\nContent-Length: {len(body)}"
    answer = await exchange(served.port, head, body)
    assert answer.status in (400, 422)
    error = json.loads(answer.text)["error"]
    assert error["code"] in ("bad_input", "bad_request")
    assert error["message"]


async def test_where_the_json_breaks_is_told(served: Served) -> None:
    answer = await served.ask(
        "POST", "/parallel", data=b'{"prompts": ["a",, "b"]}', headers={"Content-Type": "application/json"}
    )
    assert (answer.status, answer.code) == (400, "bad_input")
    assert "is no JSON" in answer.json["error"]["message"]
    assert "character 17" in answer.json["error"]["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_of_another_type_is_refused(served: Served, kind: str) -> None:
    """What a web page could send without asking first is no request of ours, whatever it holds."""
    body = b'{"prompts":["a"]}'
    head = f"{HEAD}\nContent-Type: {kind}\nContent-Length: {len(body)}"
    answer = await exchange(served.port, head, body)
    assert answer.status == 415
    assert json.loads(answer.text)["error"]["code"] == "unsupported_media_type"
    assert served.serving.observer.tasks == 0


async def test_a_body_without_a_type_is_refused(served: Served) -> None:
    body = b'{"prompts":["a"]}'
    answer = await exchange(served.port, f"{HEAD}\nContent-Length: {len(body)}", body)
    assert answer.status == 415


async def test_a_body_that_says_to_be_too_large_is_refused_before_it_is_sent(served: Served) -> None:
    answer = await exchange(served.port, f"{HEAD}\n{JSON}\nContent-Length: 10001")
    assert answer.status == 413
    error = json.loads(answer.text)["error"]
    assert error["code"] == "too_large"
    assert "0.01 MB" in error["message"]
    assert answer.headers["connection"] == "close"


async def test_a_body_that_does_not_say_how_large_it_is_is_cut_off(served: Served) -> None:
    async with await anyio.connect_tcp("127.0.0.1", served.port) as stream:
        head = f"{HEAD}\n{JSON}\nTransfer-Encoding: chunked".replace("{port}", str(served.port))
        await stream.send("\r\n".join([*head.splitlines(), "", ""]).encode())
        for _ in range(11):
            await stream.send(b"3e8\r\n" + b" " * 1000 + b"\r\n")
        assert (await read_answer(stream)).status == 413


async def test_too_many_prompts_are_refused_with_what_to_do(served: Served) -> None:
    for path, kind in (("/parallel", {}), ("/jobs", {"kind": "parallel"})):
        answer = await served.ask("POST", path, {**kind, "prompts": ["a"] * 51})
        assert (answer.status, answer.code) == (413, "too_large")
        assert "51 prompts are too many for one request: at most 50" in answer.json["error"]["message"]
        assert "daemon.max_prompts" in answer.json["error"]["hint"]


async def test_a_provider_without_a_key_is_refused_before_the_first_byte(served: Served) -> None:
    answer = await served.ask("POST", "/parallel", {"prompts": ["a"], "provider": "gemini"})
    assert (answer.status, answer.code) == (409, "not_configured")
    job = await served.ask("POST", "/jobs", {"kind": "parallel", "prompts": ["a"], "provider": "gemini"})
    assert (job.status, job.code) == (409, "not_configured")


@pytest.mark.parametrize("path", ["/nothing", "/", "/health/", "/jobs/", "/docs", "/redoc", "/parallel/x"])
async def test_an_unknown_path_is_a_404_in_json(served: Served, path: str) -> None:
    answer = await served.ask("GET", path, allow_redirects=False)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "query", ["wait=61", "wait=-1", "wait=nan", "wait=inf", "offset=-1", "limit=0", "limit=1001", "limit=x"]
)
async def test_a_page_that_cannot_be_is_refused(served: Served, query: str) -> None:
    answer = await served.ask("GET", f"/jobs/job-0?{query}")
    assert (answer.status, answer.code) == (422, "bad_input")
    assert answer.json["error"]["message"].startswith(query.partition("=")[0])


@pytest.mark.parametrize("job_id", ["job-0", "%00", "%ED%A0%80", "..%2F..", "a" * 4000, "%22%27;--"])
async def test_an_unknown_job_is_a_404(served: Served, job_id: str) -> None:
    for method in ("GET", "DELETE"):
        head = f"{method} /jobs/{job_id} HTTP/1.1\nHost: 127.0.0.1:{{port}}\nAuthorization: Bearer {TOKEN}"
        answer = await exchange(served.port, head)
        assert answer.status == 404
        assert json.loads(answer.text)["error"]["code"] == "not_found"


async def test_null_stands_for_an_option_that_is_left_out(served: Served) -> None:
    body = {"prompts": [{"prompt": "a", "system": None, "schema": None}], "model": None, "max_spend": None}
    answer = await served.ask("POST", "/parallel", body)
    assert [event["event"] for event in answer.events] == ["start", "progress", "complete"]


async def test_a_null_inside_a_schema_stays_where_it_is(served: Served) -> None:
    schema = {"type": "object", "properties": {"a": {"const": None}}, "required": ["a"]}
    answer = await served.ask("POST", "/parallel", {"prompts": ["a"], "schema": schema})
    assert answer.events[1]["task"]["data"] == {"a": None}


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/jobs", "GET, POST"), ("/jobs/job-0", "DELETE, GET"), ("/parallel", "POST"), ("/health", "GET")],
)
async def test_another_method_is_refused_with_those_that_there_are(
    served: Served, path: str, methods: str
) -> None:
    answer = await served.ask("PUT", path)
    assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method_not_allowed", methods)


async def test_a_whole_number_may_be_written_with_a_point(served: Served) -> None:
    body = {"prompts": [{"prompt": "a", "id": 7.0, "max_tokens": 9.0}], "concurrency": 2.0}
    answer = await served.ask("POST", "/parallel", body)
    assert (answer.events[0]["workers"], answer.events[1]["task"]["id"]) == (2, 7)
