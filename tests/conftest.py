"""What holds for the whole suite: no host but this one, no key of the user's, a home of its own."""

import ipaddress
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from tests.clock import FakeClock

settings.register_profile(
    "swarm", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("swarm")
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "swarm-hypothesis")  # not into the working tree

_PREFIXES = ("SWARM_", "OLLAMA_")
_ENDINGS = ("_API_KEY", "_API_TOKEN", "_AUTH_TOKEN", "_BASE_URL", "_PROXY")
_PIP = {
    "PIP_CACHE_DIR": Path.home() / ".cache/pip",
    "PIP_CONFIG_FILE": Path.home() / ".config/pip/pip.conf",
}
"""What the installer's tests keep of the real home: their pip would have to fetch everything again."""

_LONG = 5
"""Seconds; what needs more is marked as slow and says why."""

refused_hosts: list[str] = []
"""Hosts that the running test tried to reach."""


def _is_here(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to look up or to reach any other host."""
    if event == "socket.getaddrinfo":
        host: object = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        address: Any = arguments[1]
        if isinstance(address, str | bytes):
            return  # a path in the file system
        host = address[0]
    else:
        return
    if not _is_here(host):
        refused_hosts.append(str(host))
        raise OSError(f"tests reach no host but this one, and this is {host!r}")


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home and an environment of its own for each test; it fails if it tried to reach another host."""
    for name, place in _PIP.items():
        if name not in os.environ and place.exists():
            monkeypatch.setenv(name, str(place))
    for name in list(os.environ):
        if name.upper().startswith(_PREFIXES) or name.upper().endswith(_ENDINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home", numbered=True)))
    refused_hosts.clear()
    yield
    assert not refused_hosts, f"the test tried to reach {refused_hosts}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged may be no UTF-8, and a report travels as UTF-8 between processes."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    if report.when == "call" and report.duration > _LONG and item.get_closest_marker("slow") is None:
        report.user_properties.append(("long", f"{report.duration:.1f} s  {report.nodeid}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name tests that took long and do not say why; a busy machine makes some of them so."""
    reports: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    long = sorted(
        str(value) for report in reports for name, value in report.user_properties if name == "long"
    )
    if long:
        terminalreporter.section(f"over {_LONG} s, and not marked as slow")
        for line in long:
            terminalreporter.line(line)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
