"""Keep the rows that meet a condition."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from workers.sdk.component import ColumnList, Expression, component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def _columns(inputs: dict[str, ColumnList | None], parameters: dict[str, Any]) -> dict[str, ColumnList | None]:
    return {"table": inputs.get("table")}


@component(columns=_columns)
def filter_rows(
    table: Annotated[Table, Field(description="The table to choose rows from.")],
    *,
    condition: Annotated[
        str,
        Expression("table"),
        Field(description='Which rows, for example: age > 40 and sex == "Female", or: note is not missing.', min_length=1, max_length=4000),
    ],
    keep: Annotated[
        Literal["rows that meet it", "all other rows"], Field(description="Keep these rows, or remove them.")
    ] = "rows that meet it",
) -> Table:
    """Filter rows

    Keeps (or removes) the rows that meet a condition. A comparison with a missing value is never met.
    """
    import pyarrow.compute as pc

    from workers.sdk import context
    from workers.sdk.expression import ExpressionError, parse

    loaded = table.arrow()
    try:
        mask = parse(condition).mask(loaded, table.types)
    except ExpressionError as error:
        raise StepError(f"The condition is not right: {error}", hint=error.expected, field="condition") from None
    if keep == "all other rows":
        mask = pc.invert(mask)
    kept = loaded.filter(mask)
    context.current().log(f"{kept.num_rows:,} of {loaded.num_rows:,} rows are kept.")
    if not kept.num_rows:
        raise StepError("No row is left.", hint="Look at the condition again: does it say what you mean?", field="condition")
    return Table.from_arrow(kept, like=table)
