"""What every section of the configuration is built of: strict, frozen, and typed."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_KEY_STARTS = re.compile(r"(AIza|gsk_|sk_|hf_|csk_|pplx_)\w{12}")


def _names_a_variable(value: str) -> str:
    if not re.fullmatch(VARIABLE_NAME, value) or _KEY_STARTS.match(value):
        raise PydanticCustomError("not_a_variable", "expected the name of an environment variable")
    return value


VariableName = Annotated[
    str, AfterValidator(_names_a_variable), Field(json_schema_extra={"pattern": VARIABLE_NAME})
]

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
