"""Put the shards of a mapped step together again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


@component()
def join_tables(
    tables: Annotated[list[Table], Field(description="Tables with the same columns: the shards of a mapped step, or several wires.")],
) -> Table:
    """Join tables

    Puts tables with the same columns under each other, in the order of the shards (or of the wires).
    """
    import pyarrow as pa

    first = tables[0].arrow()
    parts = [first]
    for number, table in enumerate(tables[1:], start=2):
        part = table.arrow()
        if set(part.column_names) != set(first.column_names):
            extra = sorted(set(part.column_names) ^ set(first.column_names))
            raise StepError(
                f"Table {number} has other columns than the first: {', '.join(extra[:5])}.",
                hint="Select the same columns in each before joining.",
                field="tables",
            )
        parts.append(part.select(first.column_names))
    try:
        whole = pa.concat_tables(parts, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as exc:
        raise StepError(f"The tables do not fit together: {exc}", hint="Give the columns the same types first.", field="tables") from exc
    return Table.from_arrow(whole, like=tables[0])
