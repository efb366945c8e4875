"""What cannot be used is refused in words, with status 2, before anything is sent."""

from pathlib import Path

import pytest

from tests.cli.conftest import Inside

pytestmark = pytest.mark.timeout(30)

LINE_1 = '{"prompt": "What is AI?"}\n'


def refused(inside: Inside, *arguments: str | Path, stdin: bytes = b"") -> str:
    """The words of the refusal: told to the person, and in the JSON document."""
    ran = inside.run("parallel", *arguments, "--json", stdin=stdin)
    assert ran.status == 2
    assert ran.json.keys() == {"error"}
    assert list(ran.json["error"]) == ["code", "message", "hint"]
    assert ran.json["error"]["code"] == "bad_input"
    assert ran.err.startswith(f"swarm: {ran.json['error']['message']}\n")
    assert inside.nothing_was_sent
    return ran.json["error"]["message"]


@pytest.mark.parametrize("stdin", [b"", b"\n \n\t\r\n"], ids=["nothing", "blank lines"])
def test_without_prompts_it_says_how_to_give_them(inside: Inside, stdin: bytes) -> None:
    ran = inside.run("parallel", stdin=stdin)
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.splitlines()[0] == "swarm: standard input holds no prompts"
    assert 'swarm parallel "What is AI?"' in ran.err
    assert "--file" in ran.err


def test_an_empty_argument_is_named_by_its_number(inside: Inside) -> None:
    assert refused(inside, "fine", " ") == "argument 2: the prompt is empty"


def test_a_prompt_file_that_cannot_be_read_is_named(inside: Inside, tmp_path: Path) -> None:
    assert refused(inside, "-f", "none.txt") == (
        "the prompt file none.txt cannot be read: No such file or directory"
    )
    assert refused(inside, "-f", tmp_path) == f"the prompt file {tmp_path} cannot be read: Is a directory"


@pytest.mark.parametrize("text", ["", "\n\n  \n\ufeff"])
def test_a_prompt_file_without_prompts_is_refused(inside: Inside, text: str) -> None:
    path = inside.file("empty.txt", text if not text else "\ufeff" + text.replace("\ufeff", ""))
    assert refused(inside, "-f", path) == f"{path} holds no prompts"


def test_a_file_that_is_not_utf8_is_refused_with_line_and_byte(inside: Inside) -> None:
    path = inside.file("latin.txt", b"fine\ncaf\xe9\n")
    assert refused(inside, "-f", path) == f"{path}, line 2: not UTF-8 (byte 4 is 0xe9)"
    path = inside.file("utf16.txt", "hello".encode("utf-16"))
    assert refused(inside, "-f", path) == f"{path}, line 1: not UTF-8 (byte 1 is 0xff)"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt": ', "broken JSON at column 12 (Expecting value)"),
        ('["prompt"]', "a JSON object is needed, not list"),
        ('{"promt": "x"}', "unknown field 'promt'; did you mean 'prompt'?"),
        ('{"prompt": "x", "banana": 1}', "unknown field 'banana'; known are prompt, system, model,"),
        ('{"system": "x"}', "there is no 'prompt'"),
        ('{"prompt": ""}', "the prompt is empty"),
        ('{"prompt": 7}', "'prompt' must be text"),
        ('{"prompt": "x", "max_tokens": "many"}', "'max_tokens' must be a whole number"),
        ('{"prompt": "x", "max_tokens": true}', "'max_tokens' must be a whole number"),
        ('{"prompt": "x", "max_tokens": 0}', "'max_tokens' must be at least 1, not 0"),
        ('{"prompt": "x", "temperature": NaN}', "'temperature' must be at least 0, not nan"),
        ('{"prompt": "x", "thinking": "hard"}', "'thinking' must be off, low, medium or high, not 'hard'"),
        ('{"prompt": "x", "schema": {"type": "objekt"}}', "the schema is no JSON Schema: 'objekt' is not"),
        ('{"prompt": "half a pair: \\ud800"}', "JSON that cannot be used"),
        ('{"prompt": "x", "schema": ' + "[" * 100_000, "JSON that cannot be used"),
    ],
)
def test_one_bad_line_is_named_and_stops_the_whole_file(inside: Inside, line: str, words: str) -> None:
    path = inside.file("tasks.jsonl", LINE_1 + line + "\n" + LINE_1)
    assert refused(inside, "-f", path).startswith(f"{path}, line 2: {words}")


def test_json_lines_from_standard_input_are_checked_as_well(inside: Inside) -> None:
    message = refused(inside, stdin=(LINE_1 + "What is ML?\n").encode())
    assert message == "standard input, line 2: broken JSON at column 1 (Expecting value)"


def test_options_that_exclude_each_other_are_refused(inside: Inside) -> None:
    path = inside.file("prompts.txt", "What is AI?\n")
    assert refused(inside, "x", "-f", path) == "prompts were given both as arguments and with --file"
    assert refused(inside, "x", "--ndjson") == "--json and --ndjson exclude each other"


def test_an_unknown_provider_is_refused_with_the_known_ones(inside: Inside) -> None:
    ran = inside.run("parallel", "x", "-p", "opneai")
    assert ran.status == 2
    assert ran.err.splitlines() == [
        "swarm: unknown provider 'opneai'",
        "  known are gemini, groq, openai, openai-compatible, anthropic, ollama, demo",
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("none.json", "--schema 'none.json' cannot be read: No such file or directory"),
        ("{", "--schema '{' cannot be read: Expecting property name"),
        ('{"type": "objekt"}', "the schema is no JSON Schema: 'objekt' is not"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(inside: Inside, schema: str, words: str) -> None:
    assert refused(inside, "x", "--schema", schema).startswith(words)


@pytest.mark.parametrize(
    "option",
    [
        ("--concurrency", "0"), ("--timeout", "0"), ("--timeout", "nan"), ("--max-tokens", "0"),
        ("--max-spend", "-1"), ("--max-spend", "nan"), ("--concurrency", "many"), ("--nonsense", ""),
    ],
)  # fmt: skip
def test_an_option_out_of_range_is_wrong_usage(inside: Inside, option: tuple[str, str]) -> None:
    ran = inside.run("parallel", "x", *option)
    assert ran.status == 2
    assert option[0] in ran.err
    assert ran.out == ""
    assert inside.nothing_was_sent


def test_an_endless_timeout_is_refused(inside: Inside) -> None:
    said = "'timeout' must be between 0.001 and 604800, not inf"
    assert refused(inside, "x", "--timeout", "inf") == said


def test_an_error_ends_a_stream_of_events_as_one_event(inside: Inside) -> None:
    ran = inside.run("parallel", "", "--ndjson")
    assert ran.status == 2
    [event] = ran.events
    assert event["event"] == "error"
    assert event["error"]["code"] == "bad_input"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none/out.json", "No such file or directory"),
        ("plain/out.json", "Not a directory"),
        ("folder", "is a folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_found_before_anything_is_sent(
    inside: Inside, tmp_path: Path, name: str, words: str
) -> None:
    inside.file("plain", "")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    assert words in refused(inside, "x", "-o", tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
