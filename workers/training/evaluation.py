"""Evaluations of rows and of images share this: answers in, Metrics, Figures and a table of predictions out."""

from __future__ import annotations

from typing import Any

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Figures, Metrics, Model, Table
from workers.training import figures as charts
from workers.training import measure

MOST_CURVES = 8
# A confusion table beyond this many classes is left out of the metrics (it is in the figures).
MOST_CONFUSION = 50


def of_classes(
    model: Model,
    y: Any,
    chances: Any,
    *,
    unknown: int,
    rounds: int,
    seed: int,
    threshold: float,
    groups: Any = None,
    group_column: str = "",
    shown: Any = None,
) -> tuple[Metrics, Figures, Table]:
    """`y`: class numbers, `chances`: `[rows, labels]`, `shown`: an Arrow table whose columns lead the predictions table."""
    import numpy as np

    step, manifest = context.current(), model.manifest()
    labels: list[str] = manifest["output"]["labels"]
    positive = labels.index(manifest["positive_label"]) if len(labels) == 2 and manifest.get("positive_label") in labels else None
    if len(labels) == 2 and positive is None:
        positive = 1
    if not len(y):
        raise StepError("No row of the test part has a class that the model knows.", hint="Is the target column the one it was trained on?")
    step.progress(0.65, "Measuring")
    found = measure.classification(y, chances, labels, positive, threshold, rounds, seed)
    metrics: dict[str, Any] = {
        "task": "classification",
        "rows": len(y),
        "target": manifest["target"],
        "labels": labels,
        "values": found["values"],
        "per_class": found["per_class"],
        "model": {"name": manifest["name"], "fingerprint": manifest["fingerprint"]},
    }
    if unknown:
        metrics["rows_of_unknown_class"] = unknown
        step.log(f"{unknown} rows have no class, or one the model has never seen; they are not counted.", "warning")
    if len(labels) <= MOST_CONFUSION:
        metrics["confusion"] = found["confusion"].astype(int).tolist()
    made = [charts.confusion_matrix(found["confusion"], labels)]
    counts = found["confusion"].sum(axis=1)
    drawn = [positive] if positive is not None else [i for i in np.argsort(-counts)[:MOST_CURVES] if counts[i]]
    curves = []
    for i in drawn:
        table, _ = measure.score_table(chances[:, i].astype(np.float64), y == i)
        curves.append((labels[i], table, float(measure.roc_auc(table)), float(measure.average_precision(table))))
    made += charts.roc_and_pr(curves)
    made.append(charts.calibration(found["calibration"], labels[positive] if positive is not None else None))
    if positive is not None:
        score, true = chances[:, positive].astype(np.float64), y == positive
        table_ = measure.threshold_table(score, true)
        metrics |= {"positive_label": labels[positive], "threshold": threshold, "thresholds": table_[::5]}
        made += [charts.thresholds(table_, threshold), charts.scores(score, true, (labels[1 - positive], labels[positive]))]
    else:
        made.append(charts.per_class(found["per_class"]))
    if groups is not None:
        step.progress(0.85, f"Comparing groups of {group_column}")
        told = measure.by_group(groups, y, chances, positive, found["predicted"], rounds, seed)
        metrics["groups"] = {"column": group_column, **told}
        made += charts.groups(told, group_column)
    names = np.asarray(labels, dtype=object)
    extra: dict[str, Any] = {"true class": names[y], "predicted class": names[found["predicted"]], "right": found["predicted"] == y}
    if len(labels) <= 20:
        extra |= {f"probability {label}": chances[:, i] for i, label in enumerate(labels)}
    else:
        extra["probability"] = chances.max(axis=1)
    tell(metrics)
    return Metrics.of(metrics), Figures.of(made, count=len(made)), _predictions(shown, extra)


def of_values(
    model: Model,
    y: Any,
    predicted: Any,
    *,
    unknown: int,
    rounds: int,
    seed: int,
    groups: Any = None,
    group_column: str = "",
    shown: Any = None,
) -> tuple[Metrics, Figures, Table]:
    """`y` and `predicted` are numbers, one a row."""
    import numpy as np

    step, manifest = context.current(), model.manifest()
    if not len(y):
        raise StepError("No row of the test part has a target.")
    step.progress(0.65, "Measuring")
    predicted = predicted.reshape(-1).astype(np.float64)
    found = measure.regression(y, predicted, rounds, seed)
    metrics: dict[str, Any] = {
        "task": "regression",
        "rows": len(y),
        "target": manifest["target"],
        "values": found["values"],
        "model": {"name": manifest["name"], "fingerprint": manifest["fingerprint"]},
    }
    if unknown:
        metrics["rows_without_target"] = unknown
        step.log(f"{unknown} rows have no target; they are not counted.", "warning")
    made = charts.regression(y, predicted, manifest["target"], seed)
    if groups is not None:
        step.progress(0.85, f"Comparing groups of {group_column}")
        told = measure.by_group(groups, y, None, None, predicted, rounds, seed)
        metrics["groups"] = {"column": group_column, **told}
        made += charts.groups(told, group_column)
    tell(metrics)
    return (
        Metrics.of(metrics),
        Figures.of(made, count=len(made)),
        _predictions(shown, {"actual": y, "predicted": predicted, "error": found["error"]}),
    )


def tell(metrics: dict[str, Any]) -> None:
    """A few lines for the log."""
    step = context.current()
    for name, cell in metrics["values"].items():
        if cell["value"] is not None:
            between = f" (95 %: {cell['low']:.4g} to {cell['high']:.4g})" if cell.get("low") is not None else ""
            step.log(f"{name.replace('_', ' ')}: {cell['value']:.4g}{between}")
    step.progress(1.0, "Done")


def _predictions(shown: Any, extra: dict[str, Any]) -> Table:
    """The rows with the model's answers beside them."""
    import pyarrow as pa

    table = shown if shown is not None else pa.table({})
    for name, values in extra.items():
        free = name
        while free in table.column_names:
            free += " "
        table = table.append_column(free, pa.array(values)) if table.num_columns else pa.table({free: pa.array(values)})
    return Table.from_arrow(table)


def group_values(table: Any, rows: Any, column: str) -> Any:
    """The group of each counted row as text, or None where no column is given."""
    from workers.training.rows import raw_column

    if not column:
        return None
    if column not in table.column_names:
        raise StepError(
            f"There is no column “{column}” in the test part.", hint="It has: " + ", ".join(table.column_names[:30]), field="group_column"
        )
    return raw_column(table[column], column, "category")[rows]
