"""Charts of an evaluation of boxes, in the common look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.training.figures import COLORS, error_bars, figure, numbers, stroke, thin

PERCENT = {"tickformat": ".0%", "range": [0, 1.01]}


def curves(drawn: Sequence[tuple[str, Any, Any, float]]) -> dict[str, Any]:
    """Precision by recall at an overlap of 0.5. Each: label, recall, precision, AP."""
    data = []
    for n, (label, recall, precision, average) in enumerate(drawn):
        x, y = thin(recall, precision)
        told = "found %{x:.1%}<br>right %{y:.1%}<extra></extra>"
        data.append(stroke(x, y, f"{label} (AP {average:.3f})", COLORS[n % len(COLORS)], hovertemplate=told))
    return figure("Precision and recall", data, "Recall", "Precision", xaxis=PERCENT, yaxis=PERCENT, showlegend=True)


def thresholds(table: list[dict[str, float]], now: float) -> dict[str, Any]:
    """What other thresholds of the score would give."""
    at = [row["threshold"] for row in table]
    data = [
        stroke(
            at,
            [row[name] for row in table],
            title,
            COLORS[n],
            hovertemplate=f"from %{{x:.2f}}<br>{title.lower()} %{{y:.1%}}<extra></extra>",
        )
        for n, (name, title) in enumerate((("precision", "Precision"), ("recall", "Recall"), ("f1", "F1")))
    ]
    here = {"type": "line", "x0": now, "x1": now, "y0": 0, "y1": 1, "line": {"color": "rgba(127,127,127,0.8)", "dash": "dash", "width": 1}}
    return figure("Threshold", data, "Boxes are told from this score on", "Value", yaxis=PERCENT, xaxis={"range": [0, 1]}, shapes=[here])


def labels(per_label: dict[str, Any], most: int) -> dict[str, Any]:
    """Average precision of each label with its interval (the weakest where there are more)."""
    known = [name for name, cells in per_label.items() if cells["average_precision_50"]["value"] is not None]
    shown = sorted(known, key=lambda name: per_label[name]["average_precision_50"]["value"])[:most]
    data = []
    for n, (metric, called) in enumerate((("average_precision_50", "AP@0.5"), ("average_precision", "AP@[.5:.95]"))):
        cells = [per_label[name][metric] for name in shown]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": shown,
                "x": numbers(c["value"] for c in cells),
                "name": called,
                "marker": {"color": COLORS[n]},
                "error_x": error_bars(cells),
                "customdata": [per_label[name]["support"]["value"] for name in shown],
                "hovertemplate": "%{y}: %{x:.1%} of %{customdata:,d} boxes<extra>" + called + "</extra>",
            }
        )
    height = max(300, 36 * len(shown) + 120)
    return figure("By label", data, "Average precision", "", xaxis=PERCENT, yaxis={"type": "category"}, height=height)
