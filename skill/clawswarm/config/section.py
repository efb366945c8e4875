"""What every section of the configuration is built of: strict, frozen, and typed."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]
Rate = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Usd = Annotated[Decimal, Field(ge=0, le=9_000_000)]
"""US$; as picodollars still a signed 64-bit number."""


class Section(BaseModel):
    """A group of keys: unknown ones are refused, values never change.

    A rule over several keys fails with the type `cross_field`; `ctx["key"]` says which key breaks a rule
    that was found broken one level above.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )
