"""Keep some columns of a table and give them other names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from workers.sdk.component import ColumnList, Columns, component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def _columns(inputs: dict[str, ColumnList | None], parameters: dict[str, Any]) -> dict[str, ColumnList | None]:
    known = inputs.get("table")
    if known is None:
        return {"table": None}
    types = {c["name"]: c["type"] for c in known}
    return {"table": [{"name": new, "type": types[old]} for old, new in _plan(list(types), **parameters) if old in types]}


def _plan(
    available: list[str], columns: list[str] | None = None, drop: list[str] | None = None, rename: dict[str, str] | None = None
) -> list[tuple[str, str]]:
    kept = [c for c in (columns or available) if c not in (drop or [])]
    return [(c, (rename or {}).get(c) or c) for c in kept]


@component(columns=_columns)
def select_columns(
    table: Annotated[Table, Field(description="The table to choose from.")],
    *,
    columns: Annotated[
        list[str], Columns("table"), Field(description="The columns to keep, in this order. Leave empty to keep all.", max_length=10_000)
    ] = [],
    drop: Annotated[list[str], Columns("table"), Field(description="Columns to leave out.", max_length=10_000)] = [],
    rename: Annotated[
        dict[str, str], Field(description="New names: the old name on the left, the new one on the right.", max_length=10_000)
    ] = {},
) -> Table:
    """Select columns

    Keeps the columns you choose, in your order, and gives them new names where you like.
    """
    loaded = table.arrow()
    for field, names in (("columns", columns), ("drop", drop), ("rename", list(rename))):
        if missing := [n for n in names if n not in loaded.column_names]:
            raise StepError(
                f"There is no column “{missing[0]}” in this table.", hint="It has: " + ", ".join(loaded.column_names[:30]), field=field
            )
    plan = _plan(loaded.column_names, columns, drop, rename)
    if not plan:
        raise StepError("No column would be left.", hint="Keep at least one.", field="drop")
    new = [n for _, n in plan]
    if twice := [n for n in new if new.count(n) > 1]:
        raise StepError(f"Two columns would be called “{twice[0]}”.", hint="Give each its own name.", field="rename")
    types = table.types
    label = table.metadata.get("label_column")
    made = Table.from_arrow(loaded.select([o for o, _ in plan]).rename_columns(new), like=table, types={n: types[o] for o, n in plan})
    if label and label in dict(plan):
        made.metadata["label_column"] = dict(plan)[label]
    return made
