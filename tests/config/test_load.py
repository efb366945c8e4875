"""Loading: layers, origins, strictness, and errors that say where and what."""

import os
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from clawswarm.config.load import Loaded, load
from clawswarm.config.model import Settings
from clawswarm.errors import ConfigError

SECRET = "sk-ant-very-secret-0123456789"


class Home:
    """A user with a home folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / ".config" / "clawdbot" / "node-scaling.yaml"
        self.file.parent.mkdir(parents=True)

    def write(self, text: str | bytes, mode: int = 0o600) -> None:
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.file.chmod(mode)

    def load(self, environ: Mapping[str, str] | None = None) -> Loaded:
        return load({"HOME": str(self.folder), **(environ or {})})

    def settings(self, below_root: str) -> Settings:
        self.write(f"node_scaling:\n{below_root}")
        return self.load().settings

    def error(self, text: str | bytes = "", environ: Mapping[str, str] | None = None) -> str:
        """The message that loading ends with; `FILE` stands for the path of the file."""
        self.write(text)
        with pytest.raises(ConfigError) as caught:
            self.load(environ)
        assert caught.value.exit_status == 3
        assert caught.value.hint
        return caught.value.message.replace(str(self.file), "FILE")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Whoever runs the tests, permissions count."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)


# Layers and origins


def test_without_a_file_the_defaults_hold(home: Home) -> None:
    loaded = home.load()
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.path == home.file
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "---\n",
        "\ufeff",
        "node_scaling:\n",
        "node_scaling:\n  limits:\n    # max_nodes: 3\n",
    ],
)
def test_a_file_without_values_means_the_defaults(home: Home, text: str) -> None:
    home.write(text)
    assert home.load().settings == Settings()


def test_a_list_with_every_item_commented_out_is_empty(home: Home) -> None:
    assert home.settings("  provider:\n    fallback:\n    # - name: groq\n").provider.fallback == []


def test_the_example_of_the_readme_loads(home: Home) -> None:
    settings = home.settings(
        "  enabled: true\n"
        "  limits:\n    max_nodes: 16              # Adjust based on your system\n"
        "    max_concurrent_api: 16\n"
        "  provider:\n    name: gemini\n    model: gemini-2.0-flash\n    api_key_env: GEMINI_API_KEY\n"
        "  cost:\n    max_daily_spend: 10.00     # Optional daily cap\n"
    )
    assert settings.provider.name == "gemini"
    assert settings.provider.api_key_env == "GEMINI_API_KEY"
    assert settings.cost.max_daily_spend == Decimal("10.00")


def test_environment_wins_over_file_over_defaults_for_each_key_by_itself(home: Home) -> None:
    home.write("node_scaling:\n  limits:\n    max_nodes: 2\n    max_retries: 2\n    max_concurrent_api: 2\n")
    loaded = home.load({"SWARM__LIMITS__MAX_RETRIES": "3"})
    limits = loaded.settings.limits
    assert (limits.max_nodes, limits.max_retries, limits.max_concurrent_api) == (2, 3, 2)
    assert limits.timeout == 300
    assert loaded.origins["limits.max_retries"] == "SWARM__LIMITS__MAX_RETRIES"
    assert loaded.origins["limits.max_concurrent_api"] == f"{home.file}:5"
    assert loaded.origins["limits.timeout"] == "default"


def test_the_origin_of_a_list_item_is_its_own_line(home: Home) -> None:
    home.write(
        "node_scaling:\n  provider:\n    fallback:\n    - name: groq\n      model: m\n    - name: demo\n"
    )
    origins = home.load().origins
    assert origins["provider.fallback.0.name"] == f"{home.file}:4"
    assert origins["provider.fallback.0.model"] == f"{home.file}:5"
    assert origins["provider.fallback.1.name"] == f"{home.file}:6"
    assert origins["provider.fallback.1.model"] == "default"


def test_a_list_in_the_environment_replaces_the_whole_list_of_the_file(home: Home) -> None:
    home.write(
        "node_scaling:\n  provider:\n    fallback:\n    - name: groq\n      model: m\n    - name: demo\n"
    )
    loaded = home.load({"SWARM__PROVIDER__FALLBACK": '[{"name": "ollama"}]'})
    assert [service.name for service in loaded.settings.provider.fallback] == ["ollama"]
    assert loaded.settings.provider.fallback[0].model is None
    assert loaded.origins["provider.fallback.0.name"] == "SWARM__PROVIDER__FALLBACK"
    assert loaded.origins["provider.fallback.0.model"] == "default"


def test_half_of_a_group_may_come_from_the_environment(home: Home) -> None:
    home.write("node_scaling:\n  provider:\n    prices: {input: 1}\n")
    loaded = home.load({"SWARM__PROVIDER__PRICES__OUTPUT": "0.3"})
    prices = loaded.settings.provider.prices
    assert prices is not None
    assert (prices.input, prices.output) == (Decimal(1), Decimal("0.3"))
    assert loaded.origins["provider.prices.input"] == f"{home.file}:3"


def test_a_group_in_the_environment_is_json_and_a_single_key_beside_it_wins(home: Home) -> None:
    loaded = home.load({"SWARM__LIMITS": '{"max_nodes": 5, "timeout": 1.5}', "SWARM__LIMITS__MAX_NODES": "6"})
    assert (loaded.settings.limits.max_nodes, loaded.settings.limits.timeout) == (6, 1.5)
    assert loaded.origins["limits.timeout"] == "SWARM__LIMITS"


def test_null_in_the_environment_unsets_what_the_file_sets(home: Home) -> None:
    home.write(
        "node_scaling:\n  limits: {requests_per_minute: 5}\n  provider: {prices: {input: 1, output: 2}}\n"
    )
    loaded = home.load({"SWARM__LIMITS__REQUESTS_PER_MINUTE": "null", "SWARM__PROVIDER__PRICES": "null"})
    assert loaded.settings.limits.requests_per_minute is None
    assert loaded.settings.provider.prices is None
    assert loaded.origins["provider.prices"] == "SWARM__PROVIDER__PRICES"


def test_the_process_environment_is_not_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM__LIMITS__MAX_NODES", "99")
    monkeypatch.setenv("NODE_SCALING", '{"limits": {"max_nodes": 99}}')
    monkeypatch.setenv("SWARM_CONFIG", "/nowhere.yaml")
    assert home.load().settings == Settings()


def test_swarm_config_names_another_file(home: Home) -> None:
    other = home.folder / "other.yaml"
    other.write_text("node_scaling: {enabled: false}", encoding="utf-8")
    loaded = home.load({"SWARM_CONFIG": "~/other.yaml"})
    assert loaded.settings.enabled is False
    assert loaded.path == other


def test_a_named_file_that_is_missing_is_an_error(home: Home) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{home.folder}/none.yaml")):
        home.load({"SWARM_CONFIG": "~/none.yaml"})


def test_a_link_to_nothing_is_an_error(home: Home) -> None:
    home.file.symlink_to(home.folder / "gone.yaml")
    with pytest.raises(ConfigError, match="a link to nothing"):
        home.load()


# Values


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("SWARM__ENABLED", "false", "enabled", False),
        ("SWARM__ENABLED", "On", "enabled", True),
        ("SWARM__LIMITS__MAX_NODES", " 8 ", "limits.max_nodes", 8),
        ("SWARM__LIMITS__TIMEOUT", "1e2", "limits.timeout", 100.0),
        ("SWARM__COST__MAX_DAILY_SPEND", "0.1", "cost.max_daily_spend", Decimal("0.1")),
        ("SWARM__PROVIDER__NAME", "groq", "provider.name", "groq"),
        ("SWARM__PROVIDER__MODEL", "123", "provider.model", "123"),
        ("SWARM__PROVIDER__KEEP_ALIVE", "-1", "provider.keep_alive", -1),
        ("SWARM__PROVIDER__KEEP_ALIVE", "60m", "provider.keep_alive", "60m"),
        ("SWARM__PROVIDER__BASE_URL", "http://a:1", "provider.base_url", "http://a:1"),
        ("SWARM__PROVIDER__BASE_URL", '["a:1", "b:2"]', "provider.base_url", ["a:1", "b:2"]),
        ("SWARM__PROVIDER__BASE_URL", "[::1]:11434", "provider.base_url", "[::1]:11434"),
        ("SWARM__PROVIDER__STREAM", "0", "provider.stream", False),
    ],
)
def test_text_of_a_variable_becomes_the_type_of_its_key(
    home: Home, name: str, text: str, path: str, value: object
) -> None:
    found: object = home.load({name: text}).settings
    for part in path.split("."):
        found = getattr(found, part)
    assert found == value
    assert type(found) is type(value)


def test_money_is_kept_exactly_as_written(home: Home) -> None:
    prices = home.settings(
        "  provider: {prices: {input: 0.1, output: 0.12345678901234567890123, cached: 3}}\n"
    ).provider.prices
    assert prices is not None
    assert str(prices.input) == "0.1"
    assert str(prices.output) == "0.12345678901234567890123"
    assert str(prices.cached) == "3"


def test_zero_is_a_value(home: Home) -> None:
    settings = home.settings("  limits: {max_retries: 0}\n  cost: {max_daily_spend: 0}\n")
    assert settings.limits.max_retries == 0
    assert settings.cost.max_daily_spend == Decimal(0)
    assert home.load({"SWARM__COST__MAX_DAILY_SPEND": "0"}).settings.cost.max_daily_spend == Decimal(0)


def test_a_whole_number_is_fine_where_a_fraction_may_stand(home: Home) -> None:
    assert home.settings("  limits: {timeout: 5, attempt_timeout: 2.5}\n").limits.timeout == 5.0


@pytest.mark.parametrize("text", ["5:30", "2024-01-01"])
def test_text_that_yaml_takes_for_something_odd_stays_text(home: Home, text: str) -> None:
    assert home.settings(f"  provider: {{model: {text}}}\n").provider.model == text


# Keys and values that do not fit


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "max_nodes: '16'",
            "max_nodes: expected a whole number of at least 1 and at most 100000, found '16'",
        ),
        ("max_nodes: yes", "max_nodes: expected a whole number of at least 1 and at most 100000, found true"),
        ("max_nodes: 8.5", "max_nodes: expected a whole number of at least 1 and at most 100000, found 8.5"),
        ("max_nodes: 0", "max_nodes: expected a whole number of at least 1 and at most 100000, found 0"),
        (
            "max_nodes: null",
            "max_nodes: expected a whole number of at least 1 and at most 100000, found null",
        ),
        (
            "max_nodes: [1]",
            "max_nodes: expected a whole number of at least 1 and at most 100000, found a list",
        ),
        ("timeout: .inf", "timeout: expected a number above 0, found inf"),
        ("timeout: '5'", "timeout: expected a number above 0, found '5'"),
        ("requests_per_minute: -1", "expected a whole number of at least 1, or null, found -1"),
        ("max_retries: 21", "max_retries: expected a whole number of at least 0 and at most 20, found 21"),
    ],
)
def test_an_ill_typed_number_in_the_file_is_refused(home: Home, line: str, problem: str) -> None:
    message = home.error(f"node_scaling:\n  limits:\n    {line}\n")
    assert message.startswith("FILE:3: limits.")
    assert problem in message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("enabled: 1", "FILE:2: enabled: expected true or false, found 1"),
        ("limits: 5", "FILE:2: limits: expected a group of keys, found 5"),
        ("cost: {max_daily_spend: '5'}", "cost.max_daily_spend: expected US$ as a number of at least 0"),
        ("cost: {max_daily_spend: 10000000000}", "and at most 9000000, or null, found 10000000000"),
        ("provider: {name: gemni}", "expected one of gemini, groq, openai, openai-compatible, anthropic, "),
        ("provider: {name: gemni}", "ollama, demo, or null, found 'gemni'"),
        ("provider: {model: ''}", "provider.model: expected text that is not empty, or null, found ''"),
        (
            "provider: {keep_alive: ''}",
            "expected text that is not empty, or a whole number, or null, found ''",
        ),
        ("provider: {base_url: [a, 5]}", "FILE:2: provider.base_url.1: expected text, found 5"),
        ("provider: {base_url: []}", "provider.base_url: an empty list names no endpoint"),
        ("provider: {base_url: 'ftp://me:pw@x'}", "should be 'http' or 'https', found 'ftp://…@x'"),
        ("provider: {fallback: [5]}", "provider.fallback.0: expected a group of keys, found 5"),
        ("provider: {prices: {input: 1}}", "provider.prices.output is missing: expected US$"),
    ],
)
def test_an_ill_typed_value_is_told_in_words(home: Home, text: str, problem: str) -> None:
    assert problem in home.error(f"node_scaling:\n  {text}\n")


def test_an_ill_typed_value_in_the_file_is_refused_even_where_it_is_overridden(home: Home) -> None:
    message = home.error("node_scaling:\n  limits: 5\n", {"SWARM__LIMITS__MAX_NODES": "5"})
    assert message == "FILE:2: limits: expected a group of keys, found 5"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "node_scaling:\n  limits:\n    max_node: 3",
            "FILE:3: unknown key 'limits.max_node': did you mean 'max_nodes'?",
        ),
        ("node_scaling:\n  limits:\n    maxNodes: 3", "did you mean 'max_nodes'?"),
        ("node_scaling:\n  cost:\n    max_nodes: 3", "'cost.max_nodes': did you mean 'limits.max_nodes'?"),
        ("node_scaling:\n  zzz: 3", "'zzz': known here are enabled, limits, provider, cost, cache"),
        (
            "node_scaling:\n  provider:\n    fallback:\n    - modle: m\n      name: demo",
            "FILE:4: unknown key",
        ),
        ("node_scaling:\n  1: x", "FILE:2: unknown key '1'"),
        ("node_scaling:\n  <<: {enabled: true}", "FILE:2: unknown key '<<'"),
        ("limits: {}", "FILE:1: unknown key 'limits': it belongs below 'node_scaling'"),
        ("node-scaling: {}", "FILE:1: unknown key 'node-scaling': did you mean 'node_scaling'?"),
        ("node_scaling: {}\nother: 1", "FILE:2: unknown key 'other': the only key here is 'node_scaling'"),
        ("- a", "FILE:1: expected the key 'node_scaling'"),
        ("node_scaling: 5", "FILE:1: node_scaling: expected a group of keys, found 5"),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one(
    home: Home, text: str, problem: str
) -> None:
    assert problem in home.error(text)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("SWARM__LIMITS__MAX_NODE", "SWARM__LIMITS__MAX_NODES"),
        ("SWARM__ENABLE", "SWARM__ENABLED"),
        ("SWARM__limits__max_nodes", "SWARM__LIMITS__MAX_NODES"),
        ("SWARM__PROVIDER__FALLBACK__0__NAME", "SWARM__PROVIDER__FALLBACK"),
    ],
)
def test_an_unknown_variable_names_the_nearest_known_one(home: Home, name: str, near: str) -> None:
    assert home.error("", {name: "1"}) == f"{name}: unknown variable: did you mean {near}?"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("SWARM__LIMITS__MAX_NODES", "eight", "limits.max_nodes: expected a whole number of at least 1"),
        ("SWARM__LIMITS__MAX_NODES", "8.5", "and at most 100000, found '8.5'"),
        ("SWARM__LIMITS__MAX_NODES", "9" * 5000, "expected a whole number"),
        ("SWARM__ENABLED", "maybe", "enabled: expected true or false, found 'maybe'"),
        ("SWARM__COST__MAX_DAILY_SPEND", "", "expected US$ as a number of at least 0"),
        ("SWARM__LIMITS__TIMEOUT", "nan", "limits.timeout: expected a number above 0, found 'nan'"),
        ("SWARM__LIMITS", "5", "limits: expected a group of keys, as JSON, found '5'"),
        ("SWARM__LIMITS", '{"max_nodes": "8"}', "limits.max_nodes: expected a whole number"),
        ("SWARM__LIMITS", '{"max_nodes": 1, "max_nodes": 2}', "a key stands twice in one group"),
        ("SWARM__PROVIDER__FALLBACK", '[{"modle": 1}]', "unknown key 'provider.fallback.0.modle'"),
        ("SWARM__PROVIDER__FALLBACK", "[" * 100_000, "as JSON, but this is not JSON"),
        ("SWARM__PROVIDER__PRICES__INPUT", "1", "provider.prices.output is missing"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(home: Home, name: str, text: str, problem: str) -> None:
    message = home.error("", {name: text})
    assert message.startswith(f"{name}: ")
    assert problem in message


def test_several_problems_are_listed_in_order_each_on_its_line(home: Home) -> None:
    message = home.error(
        "node_scaling:\n  cost:\n    max_spend: 1\n  limits:\n    max_nodes: '1'\n",
        {"SWARM__ENABLED": "maybe"},
    )
    first, *rest = message.splitlines()
    assert first == "the configuration has 3 problems:"
    assert [line.split(": ")[0] for line in rest] == ["  FILE:3", "  FILE:5", "  SWARM__ENABLED"]


def test_at_most_ten_problems_are_listed(home: Home) -> None:
    message = home.error("node_scaling:\n" + "".join(f"  bad{n}: 1\n" for n in range(14)))
    assert message.startswith("the configuration has 14 problems:")
    assert message.count("unknown key") == 10
    assert message.endswith("… and 4 more")


def test_a_long_value_is_cut(home: Home) -> None:
    message = home.error(f"node_scaling:\n  provider:\n    name: {'x' * 500}\n")
    assert message.endswith(f"found '{'x' * 58}…")


# Rules over several keys


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "name: groq\n    model: m\n    num_ctx: 512",
            "FILE:5: provider.num_ctx: 'num_ctx' has an effect on Ollama only, and the provider is 'groq'",
        ),
        (
            "model: m\n    name: openai-compatible",
            "FILE:4: provider.name: 'openai-compatible' needs both 'base_url' and 'model'",
        ),
        (
            "fallback:\n    - name: demo\n    - model: m",
            "FILE:5: provider.fallback.1: every fallback needs a 'name'",
        ),
        (
            "fallback:\n    - name: demo\n    - name: openai\n      keep_alive: 5",
            "FILE:6: provider.fallback.1.keep_alive: 'keep_alive' has an effect on Ollama only, and the "
            "provider is 'openai'",
        ),
    ],
)
def test_a_rule_over_several_keys_names_the_line_that_breaks_it(home: Home, text: str, problem: str) -> None:
    assert home.error(f"node_scaling:\n  provider:\n    {text}\n") == problem


def test_a_rule_over_several_keys_is_judged_over_all_layers(home: Home) -> None:
    home.write("node_scaling:\n  provider: {name: openai-compatible, model: m}\n")
    loaded = home.load({"SWARM__PROVIDER__BASE_URL": "http://127.0.0.1:8000/v1"})
    assert loaded.settings.provider.name == "openai-compatible"
    message = home.error("node_scaling:\n  provider: {num_ctx: 512}\n", {"SWARM__PROVIDER__NAME": "groq"})
    assert message.startswith("FILE:2: provider.num_ctx: ")


# Secrets


@pytest.mark.parametrize(
    "secret", [SECRET, "AIzaSyA0123456789abcdefghij_KLMNOPQ", "gsk_0123456789abcdefghij", "a b"]
)
def test_a_key_where_the_name_of_a_variable_belongs_is_refused_and_not_repeated(
    home: Home, secret: str
) -> None:
    message = home.error(f"node_scaling:\n  provider:\n    api_key_env: {secret}\n")
    assert message.startswith("FILE:3: provider.api_key_env: expected the name of an environment variable")
    assert secret not in message
    assert "-key.txt (mode 0600)" in message
    assert "environment variable and that variable's name into 'api_key_env'" in message


@pytest.mark.parametrize("key", ["api_key", "apiKey", "key", "token", "GEMINI_API_KEY"])
def test_a_key_does_not_belong_in_the_file(home: Home, key: str) -> None:
    message = home.error(f"node_scaling:\n  provider:\n    {key}: {SECRET}\n")
    assert message.startswith(
        f"FILE:3: unknown key 'provider.{key}': keys do not belong in the configuration"
    )
    assert str(home.file.parent / "<provider>-key.txt") in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("", {"SWARM__PROVIDER__API_KEY": SECRET}),
        ("", {"SWARM__PROVIDER__FALLBACK": '[{"name": "groq", "api_key": "' + SECRET}),
        ("", {"SWARM__PROVIDER__FALLBACK": '[{"name": "groq", "api_key": "' + SECRET + '"}]'}),
        ("", {"SWARM__PROVIDER": SECRET}),
        (f"node_scaling: {{provider: {SECRET}}}", {}),
        (f"node_scaling: {{provider: {{name: {{api_key: {SECRET}}}}}}}", {}),
        (f"node_scaling: {{provider: {{max_tokens: {SECRET[7:]}}}}}", {}),
        (f"node_scaling: {{provider: {{api_key: {SECRET}", {}),
        (f"api_key: {SECRET}", {}),
    ],
)
def test_no_error_repeats_a_secret(home: Home, text: str, environ: dict[str, str]) -> None:
    assert SECRET[7:20] not in home.error(text, environ)


def test_a_value_is_not_shown_where_the_key_speaks_of_a_secret(home: Home) -> None:
    message = home.error("node_scaling:\n  provider:\n    max_tokens: plenty\n")
    assert message.endswith("expected a whole number of at least 1, or null, found text (not shown)")


# The file itself


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("node_scaling:\n  zz: 1\n  zz: 2\n", "FILE:3: key 'zz' stands here twice, first on line 2"),
        ("node_scaling:\n  limits: [\n", "FILE:3: this is not valid YAML: "),
        ("node_scaling:\n\tlimits: 1\n", "FILE:2: this is not valid YAML: "),
        ("node_scaling:\n  enabled: *x\n", "FILE:2: this is not valid YAML: found undefined alias"),
        ("node_scaling: {}\n---\nnode_scaling: {}\n", "FILE:2: this is not valid YAML: "),
        ("a: 1\nb: \x01\n", "FILE:2: this is not valid YAML: a character that YAML forbids"),
        ("a:\n  b: !!python/object/apply:os.system [ls]\n", "FILE:2: this is not valid YAML: the tag"),
        ("a:\n  b: !!bool maybe\n", "FILE:2: this is not valid YAML: the tag"),
        ("a:\n  ? [a]\n  : b\n", "FILE:2: this is not valid YAML: a key is not a plain word"),
        ("a: &a\n  limits: *a\n", "FILE:1: this is not valid YAML: a value contains itself"),
        (f"a:\n  b: {'9' * 5000}\n", "FILE:2: this is not valid YAML: a number that cannot be read"),
        (f"a:\n  b: 0x{'f' * 5000}\n", "FILE:2: this is not valid YAML: a number that cannot be read"),
        ('a:\n  "\\ud800": 1\n', "FILE:2: this is not valid YAML: half of a character"),
        ("[" * 3000, "FILE:1: this is not valid YAML: the values are nested too deeply"),
        (b"node_scaling:\n  enabled: \xff\n", "FILE:2: this is not UTF-8 text"),
        ("node_scaling: {}\n".encode("utf-16"), "FILE:1: this is not UTF-8 text"),
    ],
)
def test_a_broken_file_is_named_with_its_line(home: Home, text: str | bytes, problem: str) -> None:
    assert home.error(text).startswith(problem)


def test_aliases_that_multiply_are_stopped(home: Home) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert "more than 100000 values" in home.error(f"a0: &a0 [x]\n{levels}")


def test_a_file_over_one_mebibyte_is_refused(home: Home) -> None:
    home.write("#" * 1024 * 1024)
    assert home.load().settings == Settings()
    assert "larger than 1 MiB" in home.error("#" * (1024 * 1024 + 1))


def test_a_directory_in_place_of_the_file_is_named(home: Home) -> None:
    home.file.mkdir()
    with pytest.raises(ConfigError, match=re.escape(f"{home.file} is a directory")):
        home.load()


def test_a_file_that_may_not_be_read_is_named(home: Home, unprivileged: None) -> None:
    environ = {"HOME": "/", "SWARM_CONFIG": str(home.file)}
    if os.getuid() != 0:
        home.write("node_scaling: {}", mode=0)
    with pytest.raises(ConfigError, match=re.escape(f"{home.file} cannot be read: Permission denied")):
        load(environ)


def test_a_path_that_leads_through_a_file_is_named(home: Home) -> None:
    home.write("")
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        home.load({"SWARM_CONFIG": f"{home.file}/x.yaml"})


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o644, False), (0o664, True), (0o602, True)])
def test_a_file_that_others_may_change_brings_a_warning(home: Home, mode: int, warned: bool) -> None:
    home.write("node_scaling: {enabled: false}", mode)
    loaded = home.load()
    assert loaded.settings.enabled is False
    assert bool(loaded.warnings) is warned
    assert all(f"chmod 600 {home.file}" in warning for warning in loaded.warnings)


def test_an_empty_device_is_an_empty_file(home: Home) -> None:
    assert home.load({"SWARM_CONFIG": os.devnull}).settings == Settings()
