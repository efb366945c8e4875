"""Memory as the systems tell it."""

import pytest

from clawswarm.modes.machine import linux_memory, macos_memory, size, this_machine

MEMINFO = "MemTotal:       24602880 kB\nMemFree:         500 kB\nMemAvailable:   20000000 kB\n"
VM_STAT = """\
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               100.
Pages active:                             500.
Pages inactive:                           200.
Pages speculative:                          1.
Pages wired down:                         700.
Pages purgeable:                            2.
"""


def test_linux_tells_memory_in_kilobytes() -> None:
    assert linux_memory(MEMINFO, "max\n") == (24_602_880 * 1024, 20_000_000 * 1024)
    assert linux_memory(MEMINFO, "") == linux_memory(MEMINFO, "max")


def test_a_container_has_no_more_than_its_limit() -> None:
    assert linux_memory(MEMINFO, "1073741824\n") == (1073741824, 1073741824)
    assert linux_memory("", "1024") == (1024, None)


def test_a_container_that_is_nearly_full_has_little_left() -> None:
    stat = "anon 900\ninactive_file 100\nactive_file 50\n"
    assert linux_memory(MEMINFO, "2000\n", current="1950\n", stat=stat) == (2000, 150)
    assert linux_memory(MEMINFO, "2000\n", current="1950\n") == (2000, 50)
    assert linux_memory(MEMINFO, "2000\n", current="2100\n") == (2000, 0)
    assert linux_memory(MEMINFO, "max\n", current="1950\n") == linux_memory(MEMINFO, "max\n")


def test_macos_tells_memory_in_pages() -> None:
    assert macos_memory("25769803776\n", VM_STAT) == (25_769_803_776, 303 * 16384)


def test_what_is_not_told_is_not_known() -> None:
    assert linux_memory("", "") == (None, None)
    assert macos_memory("", "") == (None, None)
    assert size(None) == "unknown"


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 MiB"), (100 * 1024**2, "100 MiB"), (25_769_803_776, "24.0 GiB")]
)
def test_sizes_are_told_in_words(count: int, words: str) -> None:
    assert size(count) == words


def test_this_machine_can_be_read() -> None:
    found = this_machine()
    assert found.processors >= 1
    assert found.total is not None
    assert found.free is not None
    assert 0 < found.free <= found.total
