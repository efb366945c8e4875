"""A short run of the fuzzer; `python -m tests.mcp.fuzz` is the long one."""

import pytest

from tests.mcp.fuzz import fuzz
from tests.mcp.support import ERAS


@pytest.mark.slow("it makes a hundred calls")
@pytest.mark.parametrize("era", ERAS)
def test_no_arguments_bring_it_down(era: str) -> None:
    ends = fuzz(100, era)
    assert ends["answered"] > 0
    assert ends["refused"] > 0
