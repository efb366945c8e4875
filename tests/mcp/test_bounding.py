"""Replies stay within their size, whatever models and pages wrote."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clawswarm_mcp.bounding import MOST_BYTES, cut, fit, size

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "index": st.integers(0, 99),
            "ok": st.booleans(),
            "text": st.builds(str.__mul__, st.text(max_size=50), st.integers(0, 400)),
            "claims": st.lists(st.text(max_size=300), max_size=60),
        }
    ),
    max_size=12,
)


@given(ROWS, st.integers(1_000, 20_000))
def test_what_is_kept_fits_and_is_a_beginning(rows: list[dict[str, Any]], most: int) -> None:
    found = fit(rows, most)
    assert sum(map(size, found.rows)) <= most
    assert bool(found.rows) == bool(rows)
    if found.cut:
        [row] = found.rows
        assert size(rows[0]) > most
        assert row["index"] == rows[0]["index"]
    else:
        assert found.rows == rows[: len(found.rows)]


def test_one_text_that_is_too_long_is_cut_and_says_so() -> None:
    found = fit([{"index": 3, "ok": True, "text": "x" * 100_000}])
    assert found.cut
    [row] = found.rows
    assert row["text"].startswith("x" * 8_000)
    assert row["text"].endswith("[cut: 8,000 of 100,000 characters]")
    assert size(row) <= MOST_BYTES


def test_a_short_text_is_left_alone() -> None:
    assert cut("short", 5) == "short"
    assert cut("longer", 5) == "longe… [cut: 5 of 6 characters]"
