"""Split a table into a training, a test and perhaps a validation part."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, ColumnList, Seed, component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


class Parts(NamedTuple):
    train: Annotated[Table, Field(title="Training part", description="The rows the model learns from.")]
    test: Annotated[Table, Field(title="Test part", description="Rows kept aside to measure the finished model.")]
    validation: Annotated[
        Table | None, Field(title="Validation part", description="Rows to watch while training; only made when its share is above 0.")
    ]


def _columns(inputs: dict[str, ColumnList | None], parameters: dict[str, Any]) -> dict[str, ColumnList | None]:
    return dict.fromkeys(Parts._fields, inputs.get("table"))


@component(columns=_columns)
def split_rows(
    table: Annotated[Table, Field(description="The table to split.")],
    *,
    method: Annotated[
        Literal["random", "stratified", "grouped", "by time"],
        Field(
            description="random: any row anywhere. stratified: every class keeps its share in each part. "
            "grouped: rows of one group stay together. by time: the newest rows become the test part."
        ),
    ] = "random",
    column: Annotated[
        str,
        Column("table"),
        Field(description="The class (stratified), the group (grouped) or the date (by time). Not needed for a random split."),
    ] = "",
    test_share: Annotated[float, Field(description="Share of the rows kept aside for testing.", gt=0, lt=1)] = 0.2,
    validation_share: Annotated[float, Field(description="Share of the rows to watch while training; 0 for none.", ge=0, lt=1)] = 0.0,
    seed: Annotated[int, Seed, Field(description="The same number gives the same split again.", ge=0, le=2**31 - 1)] = 0,
) -> Parts:
    """Split rows

    Divides a table into a part to learn from and a part to test with, and perhaps a third to watch while training.

    Test on rows the model has never seen: otherwise its numbers are too good to be true.
    """
    from workers.training.split import assign

    if test_share + validation_share >= 1:
        raise StepError(
            "The test and validation shares together leave nothing to learn from.", hint="Their sum must be below 1.", field="test_share"
        )
    loaded = table.arrow()
    if method != "random":
        if not column:
            raise StepError(f"A split “{method}” needs a column.", hint="Choose it under Column.", field="column")
        if column not in loaded.column_names:
            raise StepError(
                f"There is no column “{column}” in this table.", hint="It has: " + ", ".join(loaded.column_names[:30]), field="column"
            )
    parts = assign(loaded.num_rows, loaded[column] if method != "random" else None, method, test_share, validation_share, seed)
    made = {name: Table.from_arrow(loaded.take(rows), like=table, part=name) if len(rows) else None for name, rows in parts.items()}
    if made["train"] is None or made["test"] is None:
        raise StepError(f"{loaded.num_rows} rows are too few for this split.", hint="Use more rows or other shares.", field="test_share")
    return Parts(train=made["train"], test=made["test"], validation=made["validation"])
