"""No secret gets out, and prose stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.engine.redact import MASK, Redactor

DIGITS = "0123456789"
SECRETS = {
    "OpenAI": "sk-proj-abcDEF0123456789abcDEF0123456789",
    "Anthropic": "sk-ant-api03-abc_DEF-0123456789abcDEF0123456789",
    "OpenRouter": "sk-or-v1-0123456789abcdef0123456789abcdef",
    "Google": "AIza" + "Sy0123456789abcdefABCDEF-_0123456789",
    "Google, new": "AQ." + "Ab0123456789abcdefABCDEF-_0123456789",
    "Groq": "gsk_" + "0123456789abcdefABCDEF0123456789",
    "GitHub": "ghp_" + "0123456789abcdefABCDEF0123456789abcd",
    "GitHub app": "ghs_" + "0123456789abcdefABCDEF0123456789abcd",
    "GitHub, fine-grained": "github_pat_" + "11ABCDEFG0123456789_abcdefghijklmnop",
    "GitLab": "glpat-" + "0123456789_abcdef-ABCD",
    "Slack bot": "xoxb-" + "0123456789-0123456789-abcdef",
    "Slack user": "xoxp-" + "0123456789-0123456789-abcdef",
    "AWS": "AKIA" + "ABCDEFGHIJKLMNOP",
    "AWS, temporary": "ASIA" + "ABCDEFGH23456789",
    "Hugging Face": "hf_" + "abcdefghijABCDEFGHIJ0123456789abcd",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc+/=\n-----END RSA PRIVATE KEY-----",
    "bare private key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
}
AROUND = ["{}", "the key is {}.", '"{}"', "key={}&x=1", "Bearer {}", "a\n{}\nb", '{{"a": "b\\n{}"}}', "({})"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_credential_of_a_known_kind_is_masked_wherever_it_stands(kind: str, around: str) -> None:
    said = Redactor(())(around.format(SECRETS[kind]))
    assert said == around.format(MASK)


def test_every_credential_of_a_text_is_masked() -> None:
    said = Redactor(())(" and ".join(SECRETS.values()))
    assert said == " and ".join([MASK] * len(SECRETS))


@pytest.mark.parametrize(
    "prose",
    [
        "I will ask-and-answer, then sketch a ghost of the plan; xoxo.",
        "A risk-adjusted-return-on-capital figure is shown to the desk-bound-but-flexible team.",
        "Task-oriented-dialogue-systems need task-specific-evaluation-of-everything.",
        "disk-space-monitoring-service and mask-generation-network-v2-large are names.",
        "The FAQ. Answers begin here; see FAQ.html for the rest.",
        "xoxo-and-best-wishes-to-everyone",
        "high_resolution_images and weighs_more_than_anything",
        "half_precision_floating_point_numbers and shf_abcdefghijABCDEFGHIJ0123456789abcd",
        "sk-learn is short, gsk_short too, and ghp_ is a prefix.",
        "Eyjafjallajökull erupted; eyJ alone means nothing.",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "MAKIAABCDEFGHIJKLMNOP is no key of ours",
    ],
)
def test_prose_stays_the_same_object(prose: str) -> None:
    assert Redactor(())(prose) is prose


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz .,;:!?'\n", max_size=300))
def test_lower_case_words_are_never_touched(text: str) -> None:
    assert Redactor(())(text) is text


@given(
    key=st.text(alphabet="abcdefghij0123456789-_", min_size=8, max_size=40),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_a_key_in_use_never_gets_out_whatever_it_looks_like(key: str, before: str, after: str) -> None:
    said = Redactor((key,))(before + key + after)
    assert key not in said
    assert MASK in said


def test_of_two_keys_that_begin_alike_nothing_is_left() -> None:
    short, long = "abcdefgh12", "abcdefgh1234567890"
    assert Redactor((short, long))(f"{long} {short}") == f"{MASK} {MASK}"


def test_a_key_too_short_to_be_told_from_words_is_not_searched_for() -> None:
    text = "the test passed"
    assert Redactor(("test",))(text) is text
