"""What an Ollama server reads from its environment, and how to set it."""

from collections.abc import Mapping

VARIABLES = (
    "OLLAMA_HOST",
    "OLLAMA_NUM_PARALLEL",
    "OLLAMA_MAX_LOADED_MODELS",
    "OLLAMA_KEEP_ALIVE",
    "OLLAMA_MAX_QUEUE",
    "OLLAMA_CONTEXT_LENGTH",
    "OLLAMA_KV_CACHE_TYPE",
    "OLLAMA_FLASH_ATTENTION",
)
"""What Ollama reads from its environment (provider-facts 1.5)."""

UNSEEN = "the server's own environment cannot be read from here"


def how_to_set(variables: Mapping[str, str], system: str) -> str:
    """The commands that give Ollama these variables, and restart it."""
    if system == "darwin":
        lines = [f"launchctl setenv {name} {value}" for name, value in variables.items()]
        return "\n".join([*lines, "then quit Ollama in the menu bar, and open it again"])
    lines = [f'Environment="{name}={value}"' for name, value in variables.items()]
    return "\n".join(
        [
            "sudo systemctl edit ollama, and write:",
            "[Service]",
            *lines,
            "then: sudo systemctl restart ollama (started by hand: export them before ollama serve)",
        ]
    )
