"""The answers of `swarm setup`: what the flags say, else what the user says, else what is configured."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import anyio

from clawswarm.cli import setup_questions as questions
from clawswarm.cli.options import PROVIDERS
from clawswarm.cli.output import say, warn
from clawswarm.clock import SystemClock
from clawswarm.config.edit import Plan, plan
from clawswarm.config.key_files import checked_key
from clawswarm.config.keys import Key
from clawswarm.config.model import ProviderName, SearchName, Service, Settings
from clawswarm.config.paths import Paths
from clawswarm.errors import InputError, SwarmError
from clawswarm.modes.diagnose_ollama import Fit
from clawswarm.modes.machine import this_machine
from clawswarm.modes.setup import Answers, Auto, NoCap, Workshop, needs_key, suggested_workers, values
from clawswarm.modes.setup_keys import KeyFlags, found_key, usual_variable
from clawswarm.modes.trial import Trial
from clawswarm.providers.models import RECOMMENDED, retirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the command line says; None was left out."""

    provider: ProviderName | None
    model: str | None
    base_url: str | None
    keys: KeyFlags
    workers: int | None
    search: SearchName | Auto | None
    searxng_url: str | None
    daily_cap: Decimal | NoCap | None
    test: bool
    asking: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that was answered.

    Attributes:
        key: the key to store; None where there is none to store.
        trial: how the real call went; None where none was made.
    """

    answers: Answers
    service: Service
    planned: Plan
    key: Key | None
    trial: Trial | None
    ollama: Fit | None


class Interview:
    """One setup, up to the point where something is written."""

    def __init__(self, flags: Flags, environ: Mapping[str, str]) -> None:
        self.flags = flags
        self.environ = environ
        self.paths = Paths.of(environ)
        self.now = plan(self.paths.config, {})
        self.workshop = Workshop(environ=environ, machine=this_machine(), clock=SystemClock())

    def hold(self) -> Outcome:
        """Find out everything.

        Raises:
            SwarmError: an answer is missing or cannot be used, or the test failed.
        """
        name = self._provider()
        host = self._ollama(self._service(name)) if name == "ollama" else None
        answers = Answers(
            provider=name,
            base_url=self._address(name),
            model=self._model(name, host),
            api_key_env=self._variable(name),
            daily_cap=self.flags.daily_cap,
        )
        settings = self._planned(answers).settings
        key, trial = self._key(name, settings)
        host = self._ollama(settings.provider) if name == "ollama" else None
        answers = replace(answers, workers=self._workers(name), slots=self._slots(name, host))
        answers = replace(answers, search=self._search())
        answers = replace(answers, searxng_url=self._searxng(answers.search), daily_cap=self._cap())
        planned = self._planned(answers)
        return Outcome(
            answers=answers,
            service=planned.settings.provider,
            planned=planned,
            key=key,
            trial=trial,
            ollama=host,
        )

    def _planned(self, answers: Answers) -> Plan:
        return plan(self.paths.config, values(answers, self.now.settings))

    # ---- the answers

    def _provider(self) -> ProviderName:
        configured = self.now.settings.provider.name
        if self.flags.provider is not None:
            return self.flags.provider
        if not self.flags.asking:
            if configured is None:
                raise InputError(
                    "no provider was named, and nobody can be asked (no terminal, or --yes)",
                    hint=f"add --provider ({', '.join(PROVIDERS)})\n"
                    "and --key-stdin, --key-file FILE or --key-env NAME where no key is stored yet;\n"
                    "as you like: --model, --workers, --search, --daily-cap",
                )
            return configured
        found: dict[ProviderName, str] = {
            name: f"a key is there ({key.origin})"
            for name in questions.NOTES
            if (key := found_key(name, self._service(name), self.environ, self.paths.keys)[0]) is not None
        }
        if (host := self._ollama(self._service("ollama"))) is not None:
            found["ollama"] = f"one answers here, {len(host.host.models)} models"
        return questions.which_provider(found, configured or next(iter(found), None) or questions.USUAL)

    def _service(self, name: ProviderName) -> Service:
        """What is configured for `name`."""
        configured = self.now.settings.provider
        changes: dict[str, Any] = {"base_url": self.flags.base_url, "model": self.flags.model}
        given = {key: value for key, value in changes.items() if value is not None}
        known = configured if configured.name in (None, name) else Service()
        return known.model_copy(update={"name": name, **given})

    def _ollama(self, service: Service) -> Fit | None:
        return anyio.run(self.workshop.look_at_ollama, service)

    def _address(self, name: ProviderName) -> str | None:
        known = self._service(name).base_url
        if self.flags.base_url is not None or name != "openai-compatible":
            return self.flags.base_url
        if self.flags.asking:
            return questions.line("Address of the server", known if isinstance(known, str) else None)
        if known is None:
            raise _address_needed()
        return None

    def _model(self, name: ProviderName, ollama: Fit | None) -> str | None:
        known = self._service(name).model
        listed = [model.name for model in ollama.host.models if not model.remote] if ollama else []
        if self.flags.model is not None or name == "demo":
            return self.flags.model
        if self.flags.asking:
            gone = retirement(name, known) if known is not None else None
            return questions.which_model(name, gone.successor if gone else known, listed)
        if known is None and listed and RECOMMENDED[name] not in listed:
            return listed[0]
        if known is None and name == "openai-compatible":
            raise _address_needed()
        return None

    def _variable(self, name: ProviderName) -> str | None:
        """The name to write for the key's variable; None where it is the one that is looked at anyway."""
        given = self.flags.keys.variable
        return None if given == usual_variable(name, self._service(name)) else given

    def _workers(self, name: ProviderName) -> int | None:
        """Tasks at once; asked for where no slots of a local model decide it."""
        limits = self.now.settings.limits
        if self.flags.workers is not None or not self.flags.asking or name == "ollama":
            return self.flags.workers
        suggested = suggested_workers(self.workshop.machine)
        say("", f"This machine suggests {suggested} prompts at once.")
        configured = limits.max_nodes if "max_nodes" in limits.model_fields_set else None
        return questions.how_many("Prompts at once", configured or suggested)

    def _slots(self, name: ProviderName, host: Fit | None) -> int | None:
        """Slots of an Ollama host: what its memory carries, where nothing is said or configured."""
        if name != "ollama":
            return None
        if host is None or self.flags.workers is not None:
            return self.flags.workers
        suggested = host.advice.num_parallel or 1
        configured = self._service("ollama").num_parallel
        if not self.flags.asking:
            return suggested if configured is None else None
        say("", f"The memory suggests {suggested} answers at once (slots) for {host.model}.")
        return questions.how_many("Slots", configured or suggested)

    def _search(self) -> SearchName | Auto | None:
        if self.flags.search is None and self.flags.asking:
            return questions.which_search(self.now.settings.research.search or "auto")
        return self.flags.search

    def _searxng(self, search: str | None) -> str | None:
        known, given = self.now.settings.research.searxng_url, self.flags.searxng_url
        if search != "searxng" or given is not None:
            return given
        if self.flags.asking:
            return questions.line("Address of your SearXNG", known)
        if known is None:
            raise InputError("searxng needs the address of your own", hint="add --searxng-url")
        return None

    def _cap(self) -> Decimal | NoCap | None:
        if self.flags.daily_cap is None and self.flags.asking:
            return questions.which_cap(self.now.settings.cost.max_daily_spend)
        return self.flags.daily_cap

    # ---- the key

    def _key(self, name: ProviderName, settings: Settings) -> tuple[Key | None, Trial | None]:
        """The key to store, if there is one, and how it did in a real call."""
        service = settings.provider
        needed = needs_key(name, service, self.environ)
        if needed is False and self.flags.keys.given and service.api_key_env is None:
            raise InputError(f"{name} takes no key", hint="leave --key-file, --key-env and --key-stdin out")
        key = self.flags.keys.read(sys.stdin)
        found, trouble = found_key(name, service, self.environ, self.paths.keys)
        if key is None and needed is not False and self.flags.asking and self.flags.keys.variable is None:
            warn([trouble] if trouble else [])
            key = self._entered(name, found, needed=bool(needed))
        kept_elsewhere = self.flags.keys.variable is not None and not self.flags.test
        if key is None and found is None and needed and not kept_elsewhere:
            raise self._no_key(name, service, trouble)
        if not self.flags.test:
            return key, None
        return self._proven(name, settings, key, needed)

    def _proven(
        self, name: ProviderName, settings: Settings, key: Key | None, needed: bool | None
    ) -> tuple[Key | None, Trial | None]:
        """The key after a real call, or after the user decided to keep it all the same."""
        while True:
            trial, problem = self._tried(settings, name, key)
            if problem is None:
                return key, trial
            if trial is not None and _passes(trial):
                warn([f"the test says nothing about the key: {problem.message}"])
                return key, trial
            if not self.flags.asking:
                raise SwarmError(
                    f"the test failed, and nothing was changed: {problem.message}",
                    hint=f"{problem.hint or 'see the message'}\nto store it all the same: --no-test",
                )
            say(f"  it failed: {problem.message}", f"  {problem.hint or 'see the message'}")
            match questions.after_a_failure():
                case "again":
                    key = self._entered(name, None, needed=bool(needed)) if needed is not False else key
                case "anyway":
                    return key, trial
                case _:
                    raise SwarmError("nothing was changed", hint="start again: swarm setup")

    def _entered(self, name: ProviderName, found: Key | None, *, needed: bool) -> Key | None:
        while True:
            entered = questions.which_key(name, found, needed=needed)
            try:
                return None if entered is None else checked_key(entered, "the terminal")
            except InputError as error:
                say(f"  {error.message}")

    def _no_key(self, name: ProviderName, service: Service, trouble: str | None) -> SwarmError:
        variable = usual_variable(name, service)
        reason = trouble or f"{variable} is not set, and no key is stored"
        return InputError(
            f"no key for {name}: {reason}",
            hint="add --key-stdin (and send the key to standard input), --key-file FILE or --key-env NAME",
        )

    def _tried(
        self, settings: Settings, name: ProviderName, key: Key | None
    ) -> tuple[Trial | None, SwarmError | None]:
        say(f"Asking {name} one short question …")
        try:
            trial = anyio.run(partial(self.workshop.call, settings, name, key))
        except SwarmError as error:
            return None, error
        if trial.answered:
            say(f"  {trial.model} answered in {trial.milliseconds} ms: it works")
            return trial, None
        assert trial.failure is not None  # noqa: S101 - what has no answer has a reason
        return trial, SwarmError(trial.failure.message, hint=trial.failure.hint)


def _passes(trial: Trial) -> bool:
    """Whether the failure says nothing against the key: a limit, a cap."""
    return not trial.sent or (trial.failure is not None and trial.failure.code == "rate_limited")


def _address_needed() -> InputError:
    return InputError("openai-compatible needs an address and a model", hint="add --base-url and --model")
