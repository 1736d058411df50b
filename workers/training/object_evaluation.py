"""An evaluation of boxes: truth and answers in, Metrics, Figures and a table of boxes out."""

from __future__ import annotations

from typing import Any

from workers.sdk import context, precision
from workers.sdk.boxes import LABEL, SCORE
from workers.sdk.kinds import Figures, Metrics, Model, Table
from workers.training import box_figures
from workers.training.boxes import Drawn
from workers.training.evaluation import tell

MOST_CURVES = 8
MOST_LABELS = 40


def of_boxes(model: Model, drawn: Drawn, found: list[Any], *, threshold: float, rounds: int, seed: int) -> tuple[Metrics, Figures, Table]:
    """`found` has `[100, 6]` for each picture of `drawn`. `threshold` 0 is the model's own."""
    import numpy as np

    step, manifest = context.current(), model.manifest()
    labels, threshold = drawn.labels, threshold or float(manifest["output"]["threshold"])
    step.progress(0.65, "Measuring")
    made = precision.matches(drawn.truth, found, len(labels))
    averages, again = precision.average(made), precision.resampled(made, rounds, seed)
    counts = precision.counted(made, threshold)

    def cell(value: float, samples: list[float]) -> dict[str, float | None]:
        if not np.isfinite(value):
            return {"value": None, "low": None, "high": None}
        low, high = precision.interval(samples, value) if rounds else (None, None)
        return {"value": value, "low": low, "high": high}

    def share(part: Any, whole: Any) -> dict[str, float | None]:
        low, high = _wilson(int(part), int(whole)) if rounds else (None, None)
        return {"value": float(part / whole) if whole else None, "low": low, "high": high}

    right, told, real = (counts[name].sum() for name in ("right", "told", "truth"))
    values: dict[str, Any] = {
        name: cell(precision.mean(averages, place), [precision.mean(one, place) for one in again])
        for name, place in (("map", None), ("map_50", 0), ("map_75", 5))
    }
    values |= {"precision": share(right, told), "recall": share(right, real), "f1": {"value": float(2 * right / max(told + real, 1))}}
    per_label = {
        label: {
            "average_precision": cell(float(averages[:, n].mean()), [float(v) for v in again[:, :, n].mean(axis=1)]),
            "average_precision_50": cell(float(averages[0, n]), [float(v) for v in again[:, 0, n]]),
            "precision": share(counts["right"][n], counts["told"][n]),
            "recall": share(counts["right"][n], counts["truth"][n]),
            "support": {"value": int(counts["truth"][n])},
        }
        for n, label in enumerate(labels)
    }
    metrics: dict[str, Any] = {
        "task": "detection",
        "rows": len(drawn.rows),
        "boxes": int(real),
        "target": manifest["target"],
        "labels": labels,
        "threshold": threshold,
        "values": values,
        "per_class": per_label,
        "model": {"name": manifest["name"], "fingerprint": manifest["fingerprint"]},
    }
    for name, count in (("images_without_labels", drawn.unseen), ("boxes_of_unknown_label", drawn.unknown)):
        if count:
            metrics[name] = count
    charts = _figures(made, averages, per_label, labels, threshold)
    step.log(f"{int(real):,} boxes on {len(drawn.rows):,} images; precision and recall of boxes from a score of {threshold:.2f} on.")
    tell(metrics)
    return Metrics.of(metrics), Figures.of(charts, count=len(charts)), _boxes(drawn, found, threshold)


def _wilson(part: int, whole: int) -> tuple[float | None, float | None]:
    from workers.sdk.labels.interval import wilson

    return wilson(part, whole) if whole else (None, None)


def _figures(
    made: precision.Matches, averages: Any, per_label: dict[str, Any], labels: list[str], threshold: float
) -> list[dict[str, Any]]:
    import numpy as np

    frequent = [int(n) for n in np.argsort(-made.truth.sum(axis=0), kind="stable")[:MOST_CURVES]]
    drawn = [(labels[n], *curve[:2], float(averages[0, n])) for n in frequent if (curve := precision.curve(made, n)) is not None]
    total = max(int(made.truth.sum()), 1)
    hit = np.cumsum(made.right[0])
    at = [round(0.05 * n, 2) for n in range(1, 20)]
    table = []
    for least in at:
        count = int((made.score >= least).sum())
        right = int(hit[count - 1]) if count else 0
        table.append(
            {"threshold": least, "precision": right / count if count else 1.0, "recall": right / total, "f1": 2 * right / (count + total)}
        )
    return [box_figures.curves(drawn), box_figures.thresholds(table, threshold), box_figures.labels(per_label, MOST_LABELS)]


def _boxes(drawn: Drawn, found: list[Any], threshold: float) -> Table:
    """A row for each box that was told, and each that was missed: picture, label, score, whether right, and where, in percent."""
    import numpy as np
    import pyarrow as pa

    rows: list[tuple[Any, ...]] = []
    for key, truth, told in zip(drawn.keys, drawn.truth, found, strict=True):
        said = told[told[:, SCORE] >= threshold]
        marks = precision.pairs(truth, said)
        for box, mark in zip(said, marks, strict=True):
            rows.append((key, drawn.labels[int(box[LABEL])], "right" if mark >= 0 else "wrong", float(box[SCORE]), *_percent(box)))
        for box in np.delete(truth, marks[marks >= 0], axis=0):
            rows.append((key, drawn.labels[int(box[4])], "missed", None, *_percent(box)))
    names = ("key", "label", "outcome", "score", "x", "y", "width", "height")
    kinds = (pa.string(), pa.string(), pa.string(), *[pa.float64()] * 5)
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return Table.from_arrow(pa.table({n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)}))


def _percent(box: Any) -> tuple[float, ...]:
    left, top, right, bottom = (round(100 * float(v), 3) for v in box[:4])
    return left, top, round(right - left, 3), round(bottom - top, 3)
