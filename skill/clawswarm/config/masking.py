"""What of a value may be shown: never a password, and of a webhook only whom it leads to."""

import re
from urllib.parse import urlsplit

from clawswarm.config.fields import Path

HIDDEN = "…"

_CREDENTIALS = re.compile(r"(//)[^/\s]*@|^[^/@\s:]+:[^/\s]*@")
_DATABASE_LOGIN = re.compile(r"//.*@", re.DOTALL)
"""In the address of a database a password may hold a slash."""
_PARAMETER = re.compile(
    r"((?:^|[?&\s])[^=?&\s]*(?:key|token|secret|passw|pwd|sig)[^=?&\s]*=)('[^']*'|[^&\s#]*)", re.IGNORECASE
)
"""`?password=…` of an address, and `password=…` among the words of a connection string."""


def masked(path: Path, text: str) -> str:
    """The value `text` of the key at `path` as it may be shown."""
    match path:
        case ("team", "alerts", "webhook"):
            return whom_it_leads_to(text)
        case ("team", "database"):
            return without_credentials(_DATABASE_LOGIN.sub(f"//{HIDDEN}@", text))
        case _:
            return without_credentials(text)


def without_credentials(text: str) -> str:
    """`text` with `user:password@` of an address, and parameters that name a secret, hidden."""
    text = _CREDENTIALS.sub(lambda found: f"{found[1] or ''}{HIDDEN}@", text)
    return _PARAMETER.sub(rf"\1{HIDDEN}", text)


def whom_it_leads_to(url: str) -> str:
    """Scheme and host of an address: whoever knows the path of a webhook can write to it."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return HIDDEN
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}/{HIDDEN}" if host else HIDDEN
