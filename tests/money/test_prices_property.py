"""A price is linear in the tokens, never negative, never falls when more is used, never above its bound."""

from hypothesis import given
from hypothesis import strategies as st

from clawswarm.providers.prices import PriceSheet, Rates
from clawswarm.types.result import Usage

PRICES = st.integers(0, 10**9)
TOKENS = st.integers(0, 2_000_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    plain, cached, written, output = (draw(TOKENS) for _ in range(4))
    return Usage(plain + cached + written, output, cached, written)


@st.composite
def sheets(draw: st.DrawFn, most_rows: int = 3) -> PriceSheet:
    """Sheets whose rates rise with the size of the prompt, as all published ones do."""
    edges = sorted({0, *draw(st.lists(st.integers(1, 1_000_000), max_size=most_rows - 1))})
    columns = [sorted(draw(PRICES) for _ in edges) for _ in range(4)]
    return PriceSheet(
        tuple(Rates(edge, *(column[row] for column in columns)) for row, edge in enumerate(edges))
    )


@given(sheets(most_rows=1), usages(), usages(), st.integers(0, 100))
def test_a_price_without_steps_is_linear(sheet: PriceSheet, one: Usage, two: Usage, times: int) -> None:
    many = Usage(*(times * getattr(one, name) for name in Usage.__slots__))
    assert sheet.cost(one + two) == sheet.cost(one) + sheet.cost(two)
    assert sheet.cost(many) == times * sheet.cost(one)
    assert sheet.cost(Usage()) == 0


@given(sheets(), usages())
def test_a_price_is_never_negative(sheet: PriceSheet, usage: Usage) -> None:
    assert sheet.cost(usage) >= 0


@given(sheets(), usages(), usages())
def test_more_tokens_never_cost_less(sheet: PriceSheet, usage: Usage, more: Usage) -> None:
    assert sheet.cost(usage + more) >= sheet.cost(usage)


@given(sheets(), usages(), TOKENS, TOKENS)
def test_no_call_within_the_bound_costs_more_than_the_worst_price_of_the_bound(
    sheet: PriceSheet, usage: Usage, unused_input: int, unused_output: int
) -> None:
    """Whatever part of its prompt the provider reads from, or writes to, its cache."""
    bound = Usage(usage.input_tokens + unused_input, usage.output_tokens + unused_output)
    assert sheet.cost(usage) <= sheet.worst(bound)


@given(sheets())
def test_a_sheet_is_free_when_nothing_on_it_costs(sheet: PriceSheet) -> None:
    million = Usage(4_000_000, 1_000_000, 1_000_000, 1_000_000)
    assert sheet.free == (sheet.worst(million) == 0 and sheet.cost(million) == 0)
