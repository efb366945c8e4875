"""The questions of `swarm setup`, asked on standard error: standard output is for the result."""

import getpass
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import cast, get_args

from clawswarm.cli.output import say
from clawswarm.config.keys import Key
from clawswarm.config.model import ProviderName, SearchName
from clawswarm.errors import InputError
from clawswarm.modes.setup import Auto, NoCap
from clawswarm.providers.models import RECOMMENDED

SEARCHES: tuple[str, ...] = ("auto", *get_args(SearchName))

WHERE_KEYS_ARE_MADE: dict[ProviderName, str] = {
    "gemini": "https://aistudio.google.com/apikey",
    "groq": "https://console.groq.com/keys",
    "openai": "https://platform.openai.com/api-keys",
    "anthropic": "https://platform.claude.com/settings/keys",
    "ollama": "https://ollama.com/settings/keys",
}

NOTES: dict[ProviderName, str] = {
    "gemini": "Google, cheap, with web search of its own",
    "groq": "open models, the fastest",
    "openai": "OpenAI",
    "anthropic": "Claude",
    "ollama": "local models, no bill",
    "openai-compatible": "any other server that speaks OpenAI's language",
    "demo": "no model at all, to look around",
}

USUAL: ProviderName = "gemini"
"""Proposed where nothing is there yet."""


def line(question: str, default: str | None = None) -> str:
    """One line from the terminal, the default where it is empty; asked again where there is none.

    Raises:
        InputError: there is nobody to answer (end of input).
    """
    while True:
        shown = f"{question} [{default}]: " if default is not None else f"{question}: "
        print(shown, end="", file=sys.stderr, flush=True)  # noqa: T201 - the answer stands on the same line
        read = sys.stdin.readline()
        if not read:
            say("")
            raise InputError("the questions were left; nothing was changed", hint="start again: swarm setup")
        answer = read.strip() or default
        if answer is not None:
            return answer


def secret(question: str) -> str:
    """One line that is not shown. It may be empty."""
    try:
        return getpass.getpass(f"{question}: ", stream=sys.stderr).strip()
    except EOFError:
        say("")
        raise InputError(
            "the questions were left; nothing was changed", hint="start again: swarm setup"
        ) from None


def yes(question: str, *, default: bool = True) -> bool:
    while True:
        answer = line(f"{question} (y/n)", "y" if default else "n").lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no"):
            return False


def choice(question: str, options: Sequence[str], default: str) -> str:
    """One of `options`, by its number or its name."""
    while True:
        answer = line(question, default)
        if answer in options:
            return answer
        if answer.isdigit() and 1 <= int(answer) <= len(options):
            return options[int(answer) - 1]
        say(f"  please answer with one of: {', '.join(options)}")


def which_provider(found: dict[ProviderName, str], default: ProviderName) -> ProviderName:
    """The provider, from a list that says what is there already."""
    say("", "Which provider answers the prompts?")
    for number, (name, note) in enumerate(NOTES.items(), 1):
        there = f"  ← {found[name]}" if name in found else ""
        say(f"  {number}  {name:<18}{note}{there}")
    return cast("ProviderName", choice("Provider", tuple(NOTES), default))


def which_key(name: ProviderName, found: Key | None, *, needed: bool) -> str | None:
    """A new key; None to use the one that is found, or none where none is needed."""
    if found is not None and yes(f"Use the key {found.masked} from {found.origin}?"):
        return None
    if place := WHERE_KEYS_ARE_MADE.get(name):
        say(f"A key for {name} is made at {place}")
    while True:
        entered = secret(f"Key for {name}, not shown{'' if needed else ' (empty: none)'}")
        if entered or not needed:
            return entered or None
        say("  a key is needed here")


def which_model(name: ProviderName, configured: str | None, listed: Sequence[str]) -> str | None:
    """The model; None to leave it to the provider's recommended one."""
    if listed:
        say(f"Models there: {', '.join(listed[:12])}{' …' if len(listed) > 12 else ''}")
    recommended = RECOMMENDED.get(name)
    default = configured or (
        recommended if not listed or recommended in listed else next(iter(listed), recommended)
    )
    model = line("Model", default)
    return None if configured is None and model == recommended else model


def how_many(question: str, default: int) -> int:
    while True:
        answer = line(question, str(default))
        if answer.isdecimal() and 1 <= int(answer) <= 100_000:
            return int(answer)
        say("  please answer with a whole number of at least 1")


def which_search(default: str) -> SearchName | Auto:
    say(
        "",
        f"Web search for research: {', '.join(SEARCHES)}",
        "  auto takes what is set up; brave needs BRAVE_API_KEY, searxng an address of your own,",
        "  ollama OLLAMA_API_KEY, gemini its key; duckduckgo needs nothing",
    )
    return cast("SearchName | Auto", choice("Search", SEARCHES, default))


def which_cap(current: Decimal | None) -> Decimal | NoCap:
    while True:
        answer = line("Most US$ a day, or none", "none" if current is None else f"{current:f}")
        try:
            return read_cap(answer)
        except InputError as error:
            say(f"  {error.message}")


def read_cap(text: str) -> Decimal | NoCap:
    """An amount in US$, or "none".

    Raises:
        InputError: it is neither.
    """
    if text.strip().lower() == "none":
        return "none"
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise InputError(f"{text!r} is no amount of US$", hint="give a number such as 5 or 2.50, or: none")
    return amount


def after_a_failure() -> str:
    """What to do with a key that did not work: again, anyway or quit."""
    say("  again: try another key; anyway: store it as it is; quit: leave everything as it was")
    return choice("What now?", ("again", "anyway", "quit"), "again")
