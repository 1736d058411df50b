"""Deal with duplicate rows, missing values and outliers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from workers.sdk.component import ColumnList, Columns, component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Table


def _columns(inputs: dict[str, ColumnList | None], parameters: dict[str, Any]) -> dict[str, ColumnList | None]:
    # which columns are too empty shows only when it runs
    return {"table": inputs.get("table") if parameters.get("emptiest_column", 1.0) >= 1 else None}


@component(columns=_columns)
def clean(
    table: Annotated[Table, Field(description="The table to clean.")],
    *,
    duplicates: Annotated[Literal["keep", "remove"], Field(description="remove: of equal rows only the first stays.")] = "remove",
    duplicate_columns: Annotated[
        list[str], Columns("table"), Field(description="Rows are equal when these columns are. Empty: all columns.", max_length=10_000)
    ] = [],
    emptiest_column: Annotated[
        float,
        Field(title="Emptiest column", description="Columns with a larger share of missing values than this are removed.", ge=0, le=1),
    ] = 1.0,
    missing: Annotated[
        Literal["keep", "remove rows", "fill"],
        Field(
            description="keep: leave gaps (the model's own preparation fills them, learned from the training part only: usually best). "
            "remove rows: drop rows with a gap. fill: numbers by the median, text by the most frequent value."
        ),
    ] = "keep",
    missing_columns: Annotated[
        list[str], Columns("table"), Field(description="Where to look for gaps. Empty: everywhere.", max_length=10_000)
    ] = [],
    outliers: Annotated[
        Literal["keep", "remove rows", "clip"],
        Field(description="What to do with extreme numbers. clip: bring them to the nearest normal value."),
    ] = "keep",
    outlier_factor: Annotated[
        float,
        Field(
            description="A number is extreme when it lies further from the middle half of the values than this many times its width.",
            ge=0.5,
            le=100,
        ),
    ] = 3.0,
    outlier_columns: Annotated[
        list[str], Columns("table"), Field(description="Number columns to look at. Empty: all.", max_length=10_000)
    ] = [],
) -> Table:
    """Clean

    Removes duplicate rows, fills or removes gaps, and tames extreme numbers, each as you choose. What was done is in the log.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from workers.sdk import context

    step = context.current()
    loaded, types = table.arrow(), table.types
    for field, names in (
        ("duplicate_columns", duplicate_columns),
        ("missing_columns", missing_columns),
        ("outlier_columns", outlier_columns),
    ):
        if absent := [n for n in names if n not in types]:
            raise StepError(f"There is no column “{absent[0]}” in this table.", hint="It has: " + ", ".join(list(types)[:30]), field=field)
    if not loaded.num_rows:
        raise StepError("The table has no rows.")

    if duplicates == "remove":
        frame = loaded.select(duplicate_columns or loaded.column_names)
        for i, column in enumerate(frame.schema):
            if pa.types.is_nested(column.type):
                frame = frame.set_column(i, column.name, pa.array([str(v) for v in frame[column.name].to_pylist()]))
        first = ~frame.to_pandas().duplicated().to_numpy()
        if not first.all():
            step.log(f"{int((~first).sum()):,} duplicate rows are removed.")
            loaded = loaded.filter(pa.array(first))

    empty = [n for n in loaded.column_names if loaded[n].null_count > emptiest_column * loaded.num_rows]
    if empty:
        step.log(f"Removed because they are too empty: {', '.join(empty)}.")
        loaded = loaded.drop_columns(empty)
        if not loaded.num_columns:
            raise StepError("No column is left.", hint="Allow emptier columns.", field="emptiest_column")

    looked = [n for n in (missing_columns or loaded.column_names) if n in loaded.column_names]
    gaps = [n for n in looked if loaded[n].null_count]
    if missing == "remove rows" and gaps:
        whole = loaded.filter(_every([pc.is_valid(loaded[n]) for n in gaps]))
        step.log(f"{loaded.num_rows - whole.num_rows:,} rows with gaps are removed.")
        loaded = whole
    elif missing == "fill":
        for name in gaps:
            value = _usual(loaded[name], types[name])
            if value is None:
                continue
            step.log(f"{loaded[name].null_count:,} gaps in “{name}” are filled with {value.as_py()}.")
            loaded = loaded.set_column(loaded.column_names.index(name), name, pc.fill_null(loaded[name], value))

    if outliers != "keep":
        numeric = [n for n in (outlier_columns or list(types)) if n in loaded.column_names and types[n] in {"number", "integer"}]
        if odd := [n for n in outlier_columns if types[n] not in {"number", "integer"}]:
            raise StepError(f"“{odd[0]}” holds no numbers.", hint="Choose number columns.", field="outlier_columns")
        inside = []
        for name in numeric:
            column = loaded[name]
            numbers = column.cast(pa.float64(), safe=False)
            low, high = (q.as_py() for q in pc.quantile(numbers, [0.25, 0.75]))
            if low is None or high == low:
                continue  # nothing there, or mostly one value: nothing is normal or extreme
            bottom, top = low - outlier_factor * (high - low), high + outlier_factor * (high - low)
            normal = pc.fill_null(pc.and_(pc.greater_equal(numbers, bottom), pc.less_equal(numbers, top)), True)
            count = pc.sum(pc.invert(normal)).as_py() or 0
            if not count:
                continue
            step.log(f"{count:,} extreme values in “{name}” (outside {bottom:.6g} to {top:.6g}).")
            inside.append(normal)
            if outliers == "clip":
                clipped = pc.min_element_wise(pc.max_element_wise(numbers, bottom, skip_nulls=False), top, skip_nulls=False)
                whole_numbers = pc.round(clipped) if pa.types.is_integer(column.type) else clipped
                loaded = loaded.set_column(loaded.column_names.index(name), name, whole_numbers.cast(column.type, safe=False))
        if outliers == "remove rows" and inside:
            loaded = loaded.filter(_every(inside))
    if not loaded.num_rows:
        raise StepError("No row is left.", hint="Fill gaps instead of removing rows, or look at fewer columns.")
    step.log(f"{loaded.num_rows:,} rows and {loaded.num_columns} columns are left of {table.rows:,} and {len(types)}.")
    return Table.from_arrow(loaded, like=table)


def _every(masks: list[Any]) -> Any:
    import pyarrow.compute as pc

    kept = masks[0]
    for mask in masks[1:]:
        kept = pc.and_(kept, mask)
    return kept


def _usual(column: Any, type_: str) -> Any:
    """What stands in for a gap: the median of numbers, else the most frequent value; None where everything is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count == len(column):
        return None
    if type_ in {"number", "integer"}:
        middle = pc.quantile(column.cast(pa.float64(), safe=False), 0.5, interpolation="nearest")[0]
        return middle.cast(column.type, safe=False)
    if pa.types.is_nested(column.type):
        return None
    return pc.mode(column)[0]["mode"] if not pa.types.is_string(column.type) else _most_frequent(column)


def _most_frequent(column: Any) -> Any:
    import pyarrow.compute as pc

    counts = pc.value_counts(column.drop_null())
    return counts.field("values")[pc.index(counts.field("counts"), pc.max(counts.field("counts"))).as_py()]
