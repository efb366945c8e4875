"""One real call: the only proof that a key, a model and an address go together."""

from collections.abc import Mapping
from dataclasses import dataclass

from clawswarm.config.keys import Key
from clawswarm.config.model import Provider, ProviderName, Service, Settings
from clawswarm.engine.engine import open_engine
from clawswarm.providers.address import PLACES
from clawswarm.providers.registry import Surroundings, choose
from clawswarm.store.connect import Store
from clawswarm.types.result import Failure
from clawswarm.types.task import Task

QUESTION = "Reply with the single word: ready."

MOST_TOKENS = 512
"""Room to think for those models that cannot be told not to; an answer of one word needs none of it."""

CLOUD_SECONDS = 20.0
LOADING_SECONDS = 60.0
"""An Ollama may have to load twenty gigabytes first."""

_ANSWERED_ALL_THE_SAME = frozenset({"truncated", "empty_reply", "content_blocked", "invalid_output"})
"""The model worked, and used up the few tokens it had: the key and the name are right."""

_NOT_SENT = frozenset({"budget_exceeded", "unpriced"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How the call went.

    Attributes:
        answered: the provider took the key and the model worked.
        sent: False where a cap did not allow the call.
        failure: why there is no answer, without any key in it.
    """

    provider: ProviderName
    model: str
    key: Key | None
    answered: bool
    sent: bool
    milliseconds: int
    failure: Failure | None
    warnings: tuple[str, ...]


def patience(name: ProviderName) -> float:
    """Seconds that the call to this provider may take."""
    return LOADING_SECONDS if name == "ollama" else CLOUD_SECONDS


def only(settings: Settings, service: Service) -> Settings:
    """`settings` with `service` as the one provider, to be tried once."""
    given = service.model_dump(exclude_unset=True, exclude={"fallback"})
    limits = settings.limits.model_copy(update={"max_retries": 0})
    return settings.model_copy(update={"provider": Provider(**given), "limits": limits})


async def try_out(settings: Settings, service: Service, around: Surroundings, store: Store | None) -> Trial:
    """Ask the model of `service` one short question, once, within the configured caps.

    Raises:
        NotConfigured: there is no such provider, or it has no key.
        ConfigError: its key or its address cannot be used.
        StoreError: a cap is set, and the ledger that keeps it cannot be used.
    """
    alone = only(settings, service)
    chosen = await choose(alone, around)
    (backend,) = chosen.backends
    task = Task(
        prompt=QUESTION,
        max_tokens=MOST_TOKENS,
        thinking="off",
        timeout=patience(backend.name),
        cache=False,
    )
    async with open_engine(alone, chosen, store, around.clock) as engine:
        result = await engine.run_task(0, task, None)
        await engine.flush()
    code = result.error.code if result.error else None
    return Trial(
        provider=backend.name,
        model=backend.model,
        key=backend.key,
        answered=result.ok or code in _ANSWERED_ALL_THE_SAME,
        sent=code not in _NOT_SENT,
        milliseconds=result.duration_ms,
        failure=result.error,
        warnings=chosen.warnings,
    )


def with_key(environ: Mapping[str, str], name: ProviderName, service: Service, key: str) -> dict[str, str]:
    """`environ` in which `key` is the one that `service` will find. It never becomes the real environment."""
    usual = {PLACES[name].key_variable, "OPENROUTER_API_KEY" if name == "openai-compatible" else None}
    variables = {service.api_key_env} if service.api_key_env else usual
    return {**environ, **{variable: key for variable in variables if variable}}
