"""Money as whole picodollars (1e-12 US$).

Every published price per million tokens is a whole number of picodollars a token (0.0375 US$ per
million is 37,500 a token), so sums are exact, and a signed 64-bit column holds up to 9.2 million US$.
"""

from decimal import ROUND_CEILING, Decimal

PICO_PER_USD = 10**12


def to_pico(usd: Decimal | float | int | str) -> int:
    """US$ as picodollars, rounded up. A float is read as it prints: 0.1 means a tenth."""
    exact = usd if isinstance(usd, Decimal) else Decimal(str(usd))
    return int((exact * PICO_PER_USD).to_integral_value(rounding=ROUND_CEILING))


def to_usd(pico: int | None) -> float | None:
    """Picodollars as US$ for people and JSON; None (unknown) stays None."""
    return None if pico is None else pico / PICO_PER_USD


def from_usd(usd: float | None) -> int | None:
    """The picodollars that `to_usd` was given; exact below 9,000 US$."""
    return None if usd is None else round(usd * PICO_PER_USD)


def show_usd(pico: int | None) -> str:
    """Picodollars as text: two digits from a dollar on, else enough digits to mean something."""
    if pico is None:
        return "unknown"
    usd = pico / PICO_PER_USD
    if pico == 0 or abs(usd) >= 1:
        return f"${usd:.2f}"
    return f"${usd:.4f}" if usd >= 0.01 else f"${usd:.6f}"
