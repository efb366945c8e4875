"""The configuration described: schema, rows, JSON; and what is written is what is read."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clawswarm.config import describe
from clawswarm.config.load import Loaded, load
from clawswarm.config.masking import masked
from clawswarm.config.model import Prices, Settings
from clawswarm.config.section import Section
from clawswarm.errors import ConfigError

EVERY_KEY: str = """\
node_scaling:
  enabled: true
  limits:
    max_nodes: 4
    max_concurrent_api: 4
    timeout: 60
    attempt_timeout: null
    max_retries: 0
    requests_per_minute: 30
    tokens_per_minute: 1000
    breaker_failures: 5
    breaker_cooldown: 0.5
  provider:
    name: ollama
    model: llama3
    api_key_env: OLLAMA_KEY
    base_url: [http://a:1, "b:2"]
    max_tokens: 100
    temperature: 0.5
    thinking: low
    stream: true
    prices:
      input: 0.1
      output: 0
      cached: 0.05
    keep_alive: 60m
    num_ctx: 4096
    num_parallel: 2
    fallback:
      - name: groq
        model: some-model
  cost:
    max_daily_spend: 10.00
    max_run_spend: 0
    allow_unpriced: true
  cache:
    enabled: false
    ttl_hours: 1
    max_mb: 1.5
"""


def accepts(document: Any) -> bool:
    validator: Any = jsonschema.Draft202012Validator(describe.schema())
    return bool(validator.is_valid(document))


def loaded_from(folder: Path, text: str, **environ: str) -> Loaded:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load({"HOME": str(folder), "SWARM_CONFIG": str(path), **environ})


def problem_with(folder: Path, text: str, **environ: str) -> str | None:
    try:
        loaded_from(folder, text, **environ)
    except ConfigError as error:
        return error.message
    return None


# Schema


@pytest.mark.parametrize(
    "text", [EVERY_KEY, "", "node_scaling:", "node_scaling:\n  limits:\n  provider: {fallback: }"]
)
def test_the_schema_accepts_what_loads(tmp_path: Path, text: str) -> None:
    loaded_from(tmp_path, text)
    assert accepts(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "limits: {}",
        "node_scaling: {limit: {}}",
        "node_scaling: {limits: {max_nodes: '16'}}",
        "node_scaling: {limits: {max_nodes: 0}}",
        "node_scaling: {limits: {timeout: 0}}",
        "node_scaling: {cost: {max_daily_spend: '5'}}",
        "node_scaling: {cost: {max_daily_spend: -1}}",
        "node_scaling: {provider: {name: gemni}}",
        "node_scaling: {provider: {api_key_env: sk-1}}",
        "node_scaling: {provider: {api_key: sk-1}}",
        "node_scaling: {provider: {prices: {input: 1}}}",
        "node_scaling: {provider: {fallback: [{modle: x}]}}",
    ],
)
def test_the_schema_refuses_what_does_not_load(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        loaded_from(tmp_path, text)
    assert not accepts(yaml.safe_load(text))


def test_the_schema_is_valid_and_describes_every_key_with_its_default() -> None:
    schema = describe.schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    json.dumps(schema, allow_nan=False)
    for name, group in schema["$defs"].items():
        assert group["description"], name
        for key, node in group["properties"].items():
            nested = any("$ref" in choice for choice in node.get("anyOf", ()))  # described by its group
            assert node.get("description") or nested, (name, key)
            assert "default" in node or key in group.get("required", ()), (name, key)
    assert schema["$defs"]["Limits"]["properties"]["max_nodes"]["default"] == 16


def test_one_caller_cannot_change_the_schema_of_another() -> None:
    describe.schema()["$defs"].clear()
    assert describe.schema()["$defs"]


# Rows and JSON


def every_key(section: Section, before: str = "") -> Iterator[str]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from every_key(value, f"{before}{name}.")
        elif not isinstance(value, dict):
            yield before + name


def test_the_rows_hold_every_leaf_of_every_section_set_or_not(tmp_path: Path) -> None:
    rows = {row.key: row for row in describe.rows(load({"HOME": str(tmp_path)}))}
    assert set(every_key(Settings())) <= set(rows)
    assert rows["limits.max_nodes"] == describe.Row("limits.max_nodes", "16", "default")
    assert rows["provider.model"].value == "null"
    assert rows["provider.fallback"].value == "[]"
    assert rows["enabled"].value == "true"


def test_the_rows_show_values_as_written_and_where(tmp_path: Path) -> None:
    loaded = loaded_from(tmp_path, EVERY_KEY, SWARM__LIMITS__MAX_NODES="9")
    rows = {row.key: (row.value, row.origin) for row in describe.rows(loaded)}
    lines: list[str] = EVERY_KEY.splitlines()

    def origin(line: str) -> str:
        return f"{loaded.path}:{lines.index(line) + 1}"

    assert rows["limits.max_nodes"] == ("9", "SWARM__LIMITS__MAX_NODES")
    assert rows["limits.max_retries"] == ("0", origin("    max_retries: 0"))
    assert rows["cost.max_daily_spend"] == ("10.00", origin("    max_daily_spend: 10.00"))
    assert rows["provider.base_url"][0] == '["http://a:1", "b:2"]'
    assert rows["provider.prices.input"] == ("0.1", origin("      input: 0.1"))
    assert rows["provider.fallback.0.name"] == ("groq", origin("      - name: groq"))
    assert rows["provider.fallback.0.thinking"] == ("null", "default")
    assert set(rows) == set(loaded.origins)


def test_the_json_holds_nested_values_and_origins(tmp_path: Path) -> None:
    loaded = loaded_from(tmp_path, EVERY_KEY)
    document = json.loads(json.dumps(describe.as_json(loaded), allow_nan=False))
    values = document["node_scaling"]
    assert values["limits"]["max_retries"] == 0
    assert values["cost"]["max_daily_spend"] == 10.0
    assert values["provider"]["fallback"][0]["name"] == "groq"
    assert values["provider"]["base_url"] == ["http://a:1", "b:2"]
    assert document["origins"] == dict(loaded.origins)
    assert document["path"] == str(loaded.path)
    assert accepts({"node_scaling": values})


@pytest.mark.parametrize(
    "url", ["http://me:pw@host/v1", '["http://me:pw@host/v1"]', "me:pw@host:1", "http://a:b@pw@c"]
)
def test_a_password_in_an_address_is_not_shown(tmp_path: Path, url: str) -> None:
    loaded = load({"HOME": str(tmp_path), "SWARM__PROVIDER__BASE_URL": url})
    assert "pw" in str(loaded.settings.provider.base_url)
    assert "pw" not in str(describe.rows(loaded))
    assert "pw" not in json.dumps(describe.as_json(loaded))


SECRET = "sEcReT"


@pytest.mark.parametrize(
    ("webhook", "shown"),
    [
        (f"https://hooks.slack.com/services/T0/B0/{SECRET}", "https://hooks.slack.com/…"),
        (f"https://api.telegram.org/bot{SECRET}", "https://api.telegram.org/…"),
        (f"http://me:{SECRET}@127.0.0.1:8080/a?token={SECRET}#{SECRET}", "http://127.0.0.1:8080/…"),
        (f"http://[::1]:80/{SECRET}", "http://[::1]:80/…"),
        (f"https://ntfy.sh?{SECRET}", "https://ntfy.sh/…"),
    ],
)
def test_of_a_webhook_only_the_host_is_shown(tmp_path: Path, webhook: str, shown: str) -> None:
    loaded = load({"HOME": str(tmp_path), "SWARM__TEAM__ALERTS__WEBHOOK": webhook})
    assert loaded.settings.team.alerts.webhook == webhook
    rows = {row.key: row.value for row in describe.rows(loaded)}
    document = describe.as_json(loaded)
    assert rows["team.alerts.webhook"] == shown
    assert document["node_scaling"]["team"]["alerts"]["webhook"] == shown
    assert SECRET not in f"{rows}{json.dumps(document)}"


@pytest.mark.parametrize(
    ("database", "shown"),
    [
        (f"postgresql://me:{SECRET}@host:5432/swarm", "postgresql://…@host:5432/swarm"),
        (f"postgresql://me:a/{SECRET}@b@host/swarm", "postgresql://…@host/swarm"),
        (f"postgresql://host/swarm?password={SECRET}&sslmode=require", "postgresql://host/swarm?password=…&sslmode=require"),
        (f"postgresql://host/swarm?user=me&sslpassword={SECRET}", "postgresql://host/swarm?user=me&sslpassword=…"),
        (f"host=db password={SECRET} dbname=swarm", "host=db password=… dbname=swarm"),
        ("postgresql://host/swarm", "postgresql://host/swarm"),
    ],
)  # fmt: skip
def test_the_password_of_a_database_is_not_shown(database: str, shown: str) -> None:
    assert masked(("team", "database"), database) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"alerts: {{webhook: [https://host/{SECRET}]}}",
        f"alerts: {{webhook: host/{SECRET}}}",
        f"alerts: {{webhook: ftp://host/{SECRET}}}",
        f"alerts: {{webhook: 'https://[{SECRET}'}}",
        f"alerts: {{webhok: https://host/{SECRET}}}",
        f"alerts: https://host/{SECRET}",
        f"alerts: {{webhook: {{url: https://host/{SECRET}}}}}",
        f"alerts: {{webhook: https://host/{SECRET}: x}}",
        f"database: {{url: 'postgresql://me:{SECRET}@host/swarm'}}",
        f"database: ['postgresql://me:{SECRET}@host/swarm']",
        f"databse: postgresql://me:{SECRET}@host/swarm",
        f"votes: postgresql://me:{SECRET}@host/swarm",
    ],
)
def test_an_error_about_an_address_of_the_team_does_not_repeat_it(tmp_path: Path, text: str) -> None:
    message = problem_with(tmp_path, f"node_scaling:\n  team:\n    {text}\n")
    assert message is not None
    assert "config.yaml:3" in message
    assert SECRET not in message
    assert "postgresql" not in message


def test_a_model_name_with_a_version_is_shown_whole(tmp_path: Path) -> None:
    loaded = load({"HOME": str(tmp_path), "SWARM__PROVIDER__MODEL": "claude@20250101"})
    assert "claude@20250101" in [row.value for row in describe.rows(loaded)]


# Whatever is written is read


class Dumper(yaml.SafeDumper):
    """Writes decimals as they are."""


def write_decimal(dumper: Any, value: Decimal) -> yaml.ScalarNode:
    text = f"{value:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


Dumper.add_representer(Decimal, write_decimal)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
MONEY = st.decimals(min_value=0, max_value=9_000_000, places=9) | st.integers(0, 9_000_000).map(Decimal)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
WHOLE = st.integers(1, 100_000)
SEVERAL = st.lists(st.sampled_from(["http://a", "b:1", "[::1]:5"]), min_size=1)
URLS = st.sampled_from(["http://a:1", "host:1"]) | SEVERAL
PRICES = st.builds(Prices, input=MONEY, output=MONEY, cached=st.none() | MONEY)


def service(named: bool) -> st.SearchStrategy[dict[str, Any]]:
    common = {
        "api_key_env": st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True),
        "max_tokens": WHOLE,
        "temperature": st.floats(0, 2),
        "thinking": st.sampled_from(["off", "low", "medium", "high"]),
        "stream": st.booleans(),
        "prices": PRICES,
    }
    free = {**common, "model": WORDS, "base_url": URLS}
    own = {"keep_alive": WORDS | st.integers(), "num_ctx": st.integers(256), "num_parallel": WHOLE}
    hosted = st.sampled_from(["gemini", "groq", "openai", "anthropic", "demo"])
    compatible = {"name": st.just("openai-compatible"), "model": WORDS, "base_url": URLS}
    kinds = [
        st.fixed_dictionaries({"name": st.just("ollama")}, optional={**free, **own}),
        st.fixed_dictionaries({"name": hosted}, optional=free),
        st.fixed_dictionaries(compatible, optional=common),
    ]
    return st.one_of(kinds if named else [*kinds, st.fixed_dictionaries({}, optional={**free, **own})])


EVERYTHING = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "limits": st.fixed_dictionaries(
            {},
            optional={
                "max_nodes": WHOLE,
                "timeout": POSITIVE,
                "attempt_timeout": st.none() | POSITIVE,
                "max_retries": st.integers(0, 20),
                "requests_per_minute": st.none() | st.integers(1),
            },
        ),
        "provider": st.tuples(service(named=False), st.lists(service(named=True), max_size=2)).map(
            lambda parts: {**parts[0], "fallback": parts[1]}
        ),
        "cost": st.fixed_dictionaries(
            {}, optional={"max_daily_spend": st.none() | MONEY, "allow_unpriced": st.booleans()}
        ),
        "cache": st.fixed_dictionaries({}, optional={"ttl_hours": POSITIVE}),
    },
)


@pytest.mark.timeout(30)
@given(values=EVERYTHING)
@settings(max_examples=60, deadline=None)
def test_settings_written_as_yaml_are_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    wanted = Settings.model_validate(values)
    document = {"node_scaling": wanted.model_dump()}
    text = yaml.dump(document, Dumper=Dumper)
    assert loaded_from(tmp_path_factory.getbasetemp(), text).settings == wanted


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.timeout(30)
@given(key=st.sampled_from(sorted(load({"HOME": "/nonexistent"}).origins)), value=VALUES)
@settings(max_examples=100, deadline=None)
def test_whatever_stands_at_a_key_loads_or_is_a_configuration_error_that_names_the_key(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: Any
) -> None:
    document = value
    for part in reversed(key.split(".")):
        document = {part: document}
    folder = tmp_path_factory.getbasetemp()
    from_file = problem_with(folder, json.dumps({"node_scaling": document}))
    if from_file is not None:
        assert str(folder / "config.yaml") in from_file
        assert key in from_file or "not valid YAML" in from_file
    variable = f"SWARM__{key.replace('.', '__').upper()}"
    from_environment = problem_with(folder, "", **{variable: json.dumps(value)})
    assert from_environment is None or variable in from_environment


KEY_LINES = [number for number, line in enumerate(EVERY_KEY.splitlines(), 1) if number > 1 and ":" in line]


@pytest.mark.timeout(30)
@given(data=st.data(), number=st.sampled_from(KEY_LINES), letter=st.sampled_from("aeqz_"))
@settings(max_examples=80, deadline=None)
def test_any_single_misspelled_key_is_named_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, number: int, letter: str
) -> None:
    lines: list[str] = EVERY_KEY.splitlines()
    before, _, after = lines[number - 1].partition(":")
    key = before.strip(" -")
    at = data.draw(st.integers(0, len(key) - 1))
    wrong = data.draw(
        st.sampled_from(
            [key[:at] + key[at + 1 :], key[:at] + letter + key[at:], key[:at] + letter + key[at + 1 :]]
        )
    )
    assume(wrong not in ("", key))
    lines[number - 1] = f"{before[: -len(key)]}{wrong}:{after}"
    folder = tmp_path_factory.getbasetemp()
    with pytest.raises(ConfigError) as caught:
        loaded_from(folder, "\n".join(lines))
    (named,) = [line for line in caught.value.message.splitlines() if "unknown key" in line]
    assert named.strip().startswith(f"{folder / 'config.yaml'}:{number}: unknown key ")
    assert f"{wrong}'" in named
