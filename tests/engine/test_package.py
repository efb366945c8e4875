"""The names of the package."""

import pytest

import clawswarm
from clawswarm import sync


@pytest.mark.parametrize("module", [clawswarm, sync], ids=["clawswarm", "sync"])
def test_every_name_that_is_promised_is_there(module: object) -> None:
    for name in getattr(module, "__all__", ()):
        assert getattr(module, name) is not None


def test_a_name_that_is_not_there_is_an_ordinary_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(clawswarm, "nothing")  # noqa: B009
