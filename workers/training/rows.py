"""Raw rows as a model sees them: one array a column, the same in training, evaluation and serving.

Numbers, whole numbers, booleans and dates are float32 (a missing one is NaN, a date is seconds since 1970); categories and
text are strings (a missing one is ''). Whoever asks an ONNX model must bring rows into this form and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workers.sdk.errors import StepError

NUMERIC = frozenset({"number", "integer", "boolean", "datetime"})


def raw_column(values: Any, name: str, type_: str) -> Any:
    """One Arrow column as a one-dimensional array. Raises StepError where the values do not fit the type."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if type_ not in NUMERIC:
        try:
            text = pc.fill_null(values.cast(pa.string()), "")
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise StepError(f"The column “{name}” cannot be read as text ({error}).", field=name) from None
        return np.asarray(text.to_numpy(zero_copy_only=False), dtype=object)
    try:
        if type_ == "datetime" and pa.types.is_string(values.type):
            values = pc.strptime(values, format="%Y-%m-%dT%H:%M:%S", unit="us", error_is_null=True)
        if pa.types.is_temporal(values.type):
            zone = getattr(values.type, "tz", None)
            whole = values.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
            seconds = pc.divide(whole.cast(pa.float64(), safe=False), 1e6)
        elif pa.types.is_string(values.type) and type_ == "boolean":
            seconds = pc.index_in(pc.utf8_lower(values), value_set=pa.array(["false", "true"])).cast(pa.float64())
        else:
            seconds = values.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise StepError(
            f"The column “{name}” should hold {'dates' if type_ == 'datetime' else 'numbers'}; it holds {values.type}.",
            hint="Correct its type on the data set's page, or leave the column out.",
            field=name,
        ) from None
    numbers = seconds.to_numpy(zero_copy_only=False).astype(np.float32)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def raw_rows(table: Any, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns (`[{name, type}]`) of an Arrow table as arrays."""
    missing = [c["name"] for c in columns if c["name"] not in table.column_names]
    if missing:
        named = ", ".join(f"“{m}”" for m in missing[:10])
        raise StepError(
            f"The table lacks the column{'s' if len(missing) > 1 else ''} {named}, which the model needs.",
            hint="Use rows with the columns the model was trained on.",
        )
    return {c["name"]: raw_column(table[c["name"]], c["name"], c["type"]) for c in columns}


def onnx_inputs(rows: Mapping[str, Any], start: int = 0, stop: int | None = None) -> dict[str, Any]:
    """A window of raw rows as the inputs of the ONNX model: each column `[rows, 1]`."""
    return {name: values[start:stop].reshape(-1, 1) for name, values in rows.items()}
