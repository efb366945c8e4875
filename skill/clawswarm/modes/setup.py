"""Setting Swarm up: what the answers mean for the configuration, and what suits this machine."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import anyio
import anyio.to_thread

from clawswarm.clock import Clock
from clawswarm.config.edit import KeyPath
from clawswarm.config.keys import Key
from clawswarm.config.model import ProviderName, SearchName, Service, Settings
from clawswarm.config.paths import Paths
from clawswarm.config.splice import Value
from clawswarm.errors import StoreError, TaskError
from clawswarm.modes.diagnose_ollama import Fit, fit
from clawswarm.modes.machine import GIB, Machine
from clawswarm.modes.trial import Trial, try_out, with_key
from clawswarm.providers.address import KEYED, all_at, base_urls
from clawswarm.providers.http import open_http
from clawswarm.providers.models import RECOMMENDED
from clawswarm.providers.registry import Surroundings
from clawswarm.store.connect import Store, connect

WORKERS = 16
FEW_WORKERS = 8
_SMALL = 2 * GIB
"""Memory below which half as many answers are held at once."""

HOST_SECONDS = 5.0

Auto = Literal["auto"]
NoCap = Literal["none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the user wants. None: as it is.

    Attributes:
        api_key_env: the variable that holds the key, where it is not the usual one.
        workers: tasks at once, and calls to one endpoint where that has no slots of its own.
        slots: what each Ollama host answers at once.
        search: "auto" leaves the choice to what is set up.
    """

    provider: ProviderName
    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    workers: int | None = None
    slots: int | None = None
    search: SearchName | Auto | None = None
    searxng_url: str | None = None
    daily_cap: Decimal | NoCap | None = None


def values(answers: Answers, current: Settings) -> dict[KeyPath, Value | None]:
    """The keys to write. What was configured for one provider never reaches another: it goes."""
    wanted: dict[KeyPath, Value | None] = {}
    if current.provider.name not in (None, answers.provider):
        wanted |= {("provider", key): None for key in Service.model_fields}
    wanted["provider", "name"] = answers.provider
    given: dict[KeyPath, Value | None] = {
        ("provider", "model"): answers.model,
        ("provider", "base_url"): answers.base_url,
        ("provider", "api_key_env"): answers.api_key_env,
        ("provider", "num_parallel"): answers.slots,
        ("limits", "max_nodes"): answers.workers,
    }
    if answers.provider != "ollama":
        given["limits", "max_concurrent_api"] = answers.workers
    wanted |= {key: value for key, value in given.items() if value is not None}
    if answers.search is not None:
        wanted["research", "search"] = None if answers.search == "auto" else answers.search
    if answers.searxng_url is not None:
        wanted["research", "searxng_url"] = answers.searxng_url
    if answers.daily_cap is not None:
        wanted["cost", "max_daily_spend"] = None if answers.daily_cap == "none" else answers.daily_cap
    return wanted


def needs_key(name: ProviderName, service: Service, environ: Mapping[str, str]) -> bool | None:
    """Whether the provider cannot be used without a key; None where it depends on the server."""
    if name in KEYED:
        return True
    if name == "ollama" and all_at(base_urls("ollama", service, environ), "ollama.com"):
        return True
    return None if name == "openai-compatible" else False


def suggested_workers(machine: Machine) -> int:
    """Calls at once that this machine carries with ease, and that a cheap plan does not mind."""
    small = machine.processors < 2 or (machine.total is not None and machine.total < _SMALL)
    return FEW_WORKERS if small else WORKERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What trying things out needs: the user's environment, this machine, the time."""

    environ: Mapping[str, str]
    machine: Machine
    clock: Clock

    async def look_at_ollama(self, service: Service) -> Fit | None:
        """The first Ollama host of `service`, as it suits the model; None where none answers."""
        (url, *_) = base_urls("ollama", service, self.environ)
        model = service.model or RECOMMENDED["ollama"]
        try:
            async with open_http(self.environ) as http:
                with anyio.fail_after(HOST_SECONDS):
                    return await fit(http, url, model, service, self.environ, self.machine)
        except (TaskError, TimeoutError):
            return None

    async def call(self, settings: Settings, name: ProviderName, key: Key | None) -> Trial:
        """One real call with `key`, or with the one that is found.

        Raises:
            SwarmError: nothing can be sent: no key, no usable address, no ledger for a cap.
        """
        service = settings.provider
        environ = self.environ if key is None else with_key(self.environ, name, service, key.value)
        paths = Paths.of(environ)
        store = await anyio.to_thread.run_sync(_store, paths)
        async with open_http(environ) as http:
            around = Surroundings(environ=environ, paths=paths, http=http, clock=self.clock)
            if store is None:
                return await try_out(settings, service, around, None)
            with closing(store):
                return await try_out(settings, service, around, store)


def _store(paths: Paths) -> Store | None:
    """The ledger, in which the call is booked; without a cap it may be missing."""
    try:
        return connect(paths.database)
    except StoreError:
        return None
