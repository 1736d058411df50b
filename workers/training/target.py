"""What a model is to predict: the target column as classes or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workers.sdk.errors import StepError
from workers.sdk.kinds import Table

# Whole numbers with at most this many different values are taken as classes unless the step says otherwise.
CLASSES_AT_MOST = 12
MOST_CLASSES = 1000


@dataclass(frozen=True, kw_only=True)
class Target:
    """`labels` is empty for a regression. `positive` is the label whose probability a two-class model is judged by."""

    name: str
    task: str
    labels: list[str]
    positive: str


def choose_target(table: Table, given: str, recipe: dict[str, Any] | None) -> str:
    """The target column's name: as given, else the recipe's, else the data set's label column."""
    name = given or (recipe or {}).get("target") or table.metadata.get("label_column") or ""
    if not name:
        raise StepError("Which column should be predicted?", hint="Choose it under Target.", field="target")
    if name not in table.types:
        raise StepError(f"There is no column “{name}” in this table.", hint="It has: " + ", ".join(list(table.types)[:30]), field="target")
    return str(name)


def as_labels(values: Any) -> Any:
    """A target column as text labels (an object array; a missing one is None)."""
    import numpy as np
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        whole = values.drop_null().to_numpy()
        if len(whole) and (whole == np.floor(whole)).all():
            values = values.cast(pa.int64())
    return values.cast(pa.string()).to_numpy(zero_copy_only=False)


def read_target(table: Any, name: str, type_: str, task: str, positive: str) -> Target:
    """Decide the task and find the labels in the training part (an Arrow table)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table[name]
    if column.null_count == len(column):
        raise StepError(f"Every value of the target “{name}” is missing.", field="target")
    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    if task == "automatic":
        few = pa.types.is_integer(column.type) and pc.count_distinct(column).as_py() <= CLASSES_AT_MOST
        task = "classification" if type_ in {"category", "text", "boolean"} or few or not numeric else "regression"
    if task == "regression":
        if not numeric and not pa.types.is_boolean(column.type):
            raise StepError(
                f"“{name}” holds no numbers, so it cannot be predicted as a number.", hint="Choose classification.", field="target"
            )
        return Target(name=name, task=task, labels=[], positive="")
    found = as_labels(column)
    labels, counts = np.unique(found[found != np.array(None)].astype(str), return_counts=True)
    if len(labels) < 2:
        raise StepError(
            f"The target “{name}” has only one value, “{labels[0]}”.",
            hint="A model needs at least two classes to learn from.",
            field="target",
        )
    if len(labels) > MOST_CLASSES:
        raise StepError(
            f"The target “{name}” has {len(labels)} different values; at most {MOST_CLASSES} classes are possible.",
            hint="Choose regression, or another column.",
            field="target",
        )
    names = [str(label) for label in labels]
    if positive and positive not in names:
        raise StepError(f"“{positive}” is no value of “{name}”.", hint="It has: " + ", ".join(names[:20]), field="positive_label")
    if not positive and len(names) == 2:
        positive = names[0] if counts[0] < counts[1] else names[1]  # the rarer class is nearly always the one that is looked for
    return Target(name=name, task=task, labels=names, positive=positive if len(names) == 2 else "")


def encode_target(table: Any, target: Target) -> tuple[Any, Any]:
    """Row numbers that have a target, and their targets: class numbers (int64) or values (float64). An unknown class is left out."""
    import numpy as np
    import pyarrow as pa

    if target.name not in table.column_names:
        raise StepError(f"The table lacks the target column “{target.name}”.")
    if target.task == "regression":
        values = table[target.name].cast(pa.float64(), safe=False).combine_chunks().to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(np.isfinite(values))
        return rows, values[rows]
    codes = {label: i for i, label in enumerate(target.labels)}
    found = as_labels(table[target.name])
    numbers = np.array([codes.get(v, -1) for v in found], dtype=np.int64)
    rows = np.flatnonzero(numbers >= 0)
    return rows, numbers[rows]
