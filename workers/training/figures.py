"""Charts in plotly's JSON, written as plain dictionaries (no plotting library is loaded).

One look for all: Okabe and Ito's colours, which colour-blind people can tell apart; transparent grounds, so that light and dark pages both
work; axes with titles. Curves are thinned: no figure is larger than about 200 kB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8A7F00", "#7F7F7F")
MOST_POINTS = 400
MOST_DOTS = 3000
CLEAR = "rgba(0,0,0,0)"
FAINT = "rgba(127,127,127,0.25)"
# From clear to blue, so that an empty cell shows the page's own ground.
BLUES = [[0, "rgba(0,114,178,0.04)"], [1, "rgba(0,114,178,1)"]]


def figure(title: str, data: list[dict[str, Any]], x: str = "", y: str = "", **layout: Any) -> dict[str, Any]:
    """`{title, figure}` with the common look. `layout` is laid over it; axes are merged."""
    axis = {"gridcolor": FAINT, "zerolinecolor": FAINT, "linecolor": FAINT, "automargin": True}
    base: dict[str, Any] = {
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "colorway": list(COLORS),
        "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
        "xaxis": {**axis, "title": {"text": x}},
        "yaxis": {**axis, "title": {"text": y}},
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "showlegend": len(data) > 1,
    }
    for name, value in layout.items():
        base[name] = {**base[name], **value} if isinstance(base.get(name), dict) and isinstance(value, dict) else value
    return {"title": title, "figure": {"data": data, "layout": base}}


def numbers(values: Any, digits: int = 5) -> list[Any]:
    """Numbers short enough to send: five significant digits; what is not a number is a gap."""
    import math

    return [None if not math.isfinite(v) else float(f"{v:.{digits}g}") for v in (float(v) for v in values)]


def thin(x: Any, y: Any, most: int = MOST_POINTS) -> tuple[Any, Any]:
    """A monotone curve with fewer points: even steps along its length, so that steep parts keep their shape."""
    import numpy as np

    if len(x) <= most:
        return x, y
    length = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) / max(np.ptp(x), 1e-12) + np.abs(np.diff(y)) / max(np.ptp(y), 1e-12))])
    keep = np.unique(np.concatenate([[0, len(x) - 1], np.searchsorted(length, np.linspace(0, length[-1], most - 2)).clip(0, len(x) - 1)]))
    return x[keep], y[keep]


def stroke(x: Any, y: Any, name: str, color: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(x),
        "y": numbers(y),
        "name": name,
        "line": {"color": color, **more.pop("line", {})},
        **more,
    }


def _guide(x: Sequence[float], y: Sequence[float], name: str) -> dict[str, Any]:
    return stroke(x, y, name, "rgba(127,127,127,0.8)", line={"dash": "dot", "width": 1}, hoverinfo="skip")


def confusion_matrix(table: Any, labels: list[str]) -> dict[str, Any]:
    """Shares of each true class by predicted class, with the counts."""
    import numpy as np

    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    few = len(labels) <= 20
    heat: dict[str, Any] = {
        "type": "heatmap",
        "x": labels,
        "y": labels,
        "z": [numbers(r, 4) for r in shares],
        "zmin": 0,
        "zmax": 1,
        "colorscale": BLUES,
        "customdata": table.astype(int).tolist(),
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "true %{y}<br>predicted %{x}<br>%{customdata:,d} rows (%{z:.1%} of the class)<extra></extra>",
        "colorbar": {"title": {"text": "share of the true class"}, "tickformat": ".0%"},
    }
    if few:
        # Heat maps write only x, y, z or text into their cells.
        heat |= {"text": [[f"{int(n):,}" for n in row] for row in table], "texttemplate": "%{text}"}
    return figure(
        "Confusion matrix",
        [heat],
        "Predicted class",
        "True class",
        xaxis={"type": "category"},
        yaxis={"type": "category", "autorange": "reversed"},
    )


def roc_and_pr(curves: Sequence[tuple[str, Any, float, float]]) -> list[dict[str, Any]]:
    """ROC and precision-recall curves. Each curve: its class, its score table `[bin, class]`, its two areas."""
    import numpy as np

    roc, pr = [], []
    for i, (name, table, area, precision_area) in enumerate(curves):
        falling = table[::-1]
        hit, false = np.concatenate([[0], np.cumsum(falling[:, 1])]), np.concatenate([[0], np.cumsum(falling[:, 0])])
        color = COLORS[i % len(COLORS)]
        x, y = thin(false / max(false[-1], 1), hit / max(hit[-1], 1))
        roc.append(
            stroke(x, y, f"{name} (area {area:.3f})", color, hovertemplate="false positives %{x:.1%}<br>found %{y:.1%}<extra></extra>")
        )
        said = np.maximum(hit[1:] + false[1:], 1)
        x, y = thin(hit[1:] / max(hit[-1], 1), hit[1:] / said)
        pr.append(
            stroke(x, y, f"{name} (area {precision_area:.3f})", color, hovertemplate="found %{x:.1%}<br>right %{y:.1%}<extra></extra>")
        )
    roc.append(_guide([0, 1], [0, 1], "chance"))
    percent = {"tickformat": ".0%", "range": [0, 1.01]}
    return [
        figure("ROC curve", roc, "False positive rate", "True positive rate", xaxis=percent, yaxis=percent, showlegend=True),
        figure("Precision and recall", pr, "Recall", "Precision", xaxis=percent, yaxis=percent, showlegend=True),
    ]


def calibration(curve: list[dict[str, float]], positive: str | None) -> dict[str, Any]:
    """How often answers were right against how sure they were."""
    seen = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": numbers(b["sure"] for b in curve),
        "y": numbers(b["right"] for b in curve),
        "name": "this model",
        "customdata": [b["count"] for b in curve],
        "line": {"color": COLORS[0]},
        "marker": {"size": 8},
        "hovertemplate": "said %{x:.1%}<br>came true %{y:.1%}<br>%{customdata:,d} rows<extra></extra>",
    }
    percent = {"tickformat": ".0%", "range": [0, 1.02]}
    what = f"Predicted probability of {positive}" if positive else "Probability of the predicted class"
    return figure("Calibration", [seen, _guide([0, 1], [0, 1], "perfect")], what, "How often it came true", xaxis=percent, yaxis=percent)


def thresholds(table: list[dict[str, float]], now: float) -> dict[str, Any]:
    """What other decision thresholds would give."""
    at = [r["threshold"] for r in table]
    data = [
        stroke(
            at,
            [r[name] for r in table],
            title,
            COLORS[i],
            hovertemplate=f"threshold %{{x:.2f}}<br>{title.lower()} %{{y:.1%}}<extra></extra>",
        )
        for i, (name, title) in enumerate(
            (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"), ("selection_rate", "Selection rate"))
        )
    ]
    line = {"type": "line", "x0": now, "x1": now, "y0": 0, "y1": 1, "line": {"color": "rgba(127,127,127,0.8)", "dash": "dash", "width": 1}}
    return figure(
        "Decision threshold",
        data,
        "Threshold",
        "Value",
        yaxis={"tickformat": ".0%", "range": [0, 1.01]},
        xaxis={"range": [0, 1]},
        shapes=[line],
    )


def scores(score: Any, positive: Any, names: tuple[str, str]) -> dict[str, Any]:
    """How the scores of the two classes are spread."""
    import numpy as np

    edges = np.linspace(0, 1, 41)
    data = []
    for i, (name, here) in enumerate(((names[0], ~positive), (names[1], positive))):
        counts = np.histogram(score[here], edges)[0]
        data.append(
            {
                "type": "bar",
                "x": numbers((edges[:-1] + edges[1:]) / 2),
                "y": numbers(counts / max(1, counts.sum())),
                "name": name,
                "opacity": 0.65,
                "marker": {"color": COLORS[i]},
                "hovertemplate": "%{x:.2f}: %{y:.1%}<extra>" + name + "</extra>",
            }
        )
    return figure(
        "Scores by true class",
        data,
        f"Predicted probability of {names[1]}",
        "Share of the class",
        barmode="overlay",
        bargap=0,
        yaxis={"tickformat": ".0%"},
    )


def per_class(found: dict[str, Any], each: str = "class") -> dict[str, Any]:
    """Precision and recall of every class (or what `each` calls it) with their intervals (the weakest 40 where there are more)."""
    labels = sorted(found, key=lambda label: found[label]["f1"]["value"] or 0)[:40]
    data = []
    for i, name in enumerate(("precision", "recall")):
        cells = [found[label][name] for label in labels]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": labels,
                "x": numbers(c["value"] or 0 for c in cells),
                "name": name.capitalize(),
                "marker": {"color": COLORS[i]},
                "error_x": error_bars(cells),
                "hovertemplate": "%{y}: %{x:.1%}<extra>" + name + "</extra>",
            }
        )
    return figure(
        f"By {each}",
        data,
        "",
        each.capitalize(),
        xaxis={"tickformat": ".0%", "range": [0, 1.05]},
        yaxis={"type": "category"},
        height=max(300, 28 * len(labels) + 120),
    )


def error_bars(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Asymmetric error bars of metric cells."""
    up = [max(0.0, (c.get("high") or c["value"] or 0) - (c["value"] or 0)) for c in cells]
    down = [max(0.0, (c["value"] or 0) - (c["low"] if c.get("low") is not None else c["value"] or 0)) for c in cells]
    return {
        "type": "data",
        "symmetric": False,
        "array": numbers(up),
        "arrayminus": numbers(down),
        "thickness": 1,
        "color": "rgba(127,127,127,0.9)",
    }


def groups(found: dict[str, Any], column: str) -> list[dict[str, Any]]:
    """Each group's rates beside the others'."""
    rows = found["groups"]
    wanted = [m for m in ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy", "mae", "rmse") if m in rows[0]]
    number = wanted[0] in {"mae", "rmse"}
    data = []
    for i, metric in enumerate(wanted):
        cells = [r.get(metric) or {"value": None} for r in rows]
        data.append(
            {
                "type": "bar",
                "x": [r["group"] for r in rows],
                "y": numbers(c["value"] or 0 for c in cells),
                "name": metric.replace("_", " ").capitalize(),
                "error_y": error_bars(cells),
                "marker": {"color": COLORS[i % len(COLORS)]},
                "customdata": [r["rows"] for r in rows],
                "hovertemplate": "%{x}: %{y:"
                + (".4g" if number else ".1%")
                + "} of %{customdata:,d} rows<extra>"
                + metric.replace("_", " ")
                + "</extra>",
            }
        )
    axis = {} if number else {"tickformat": ".0%"}
    return [figure(f"By {column}", data, column, "Error" if number else "Rate", barmode="group", xaxis={"type": "category"}, yaxis=axis)]


def regression(y: Any, predicted: Any, target: str, seed: int) -> list[dict[str, Any]]:
    """Predicted against actual, residuals, and how the errors are spread."""
    import numpy as np

    random = np.random.default_rng(seed)
    some = np.sort(random.choice(len(y), MOST_DOTS, replace=False)) if len(y) > MOST_DOTS else np.arange(len(y))
    low, high = float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))
    marker = {"size": 4, "opacity": 0.5, "color": COLORS[0]}
    dots = {"type": "scatter", "mode": "markers", "marker": marker}
    error = predicted - y
    actual = {
        **dots,
        "x": numbers(y[some]),
        "y": numbers(predicted[some]),
        "name": "rows",
        "hovertemplate": "actual %{x}<br>predicted %{y}<extra></extra>",
    }
    residual = {
        **dots,
        "x": numbers(predicted[some]),
        "y": numbers(error[some]),
        "name": "rows",
        "hovertemplate": "predicted %{x}<br>error %{y}<extra></extra>",
    }
    counts, edges = np.histogram(error, bins=min(60, max(10, int(np.sqrt(len(error))))))
    spread = {
        "type": "bar",
        "x": numbers((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "name": "rows",
        "marker": {"color": COLORS[0]},
        "hovertemplate": "error about %{x}: %{y:,d} rows<extra></extra>",
    }
    size = np.sort(np.abs(error))
    x, share = thin(size, np.arange(1, len(size) + 1) / len(size))
    return [
        figure("Predicted and actual", [actual, _guide([low, high], [low, high], "perfect")], f"Actual {target}", f"Predicted {target}"),
        figure(
            "Errors by prediction",
            [residual, _guide([float(predicted.min()), float(predicted.max())], [0, 0], "none")],
            f"Predicted {target}",
            "Error (predicted - actual)",
        ),
        figure("How the errors are spread", [spread], "Error (predicted - actual)", "Rows", bargap=0.02),
        figure(
            "How large errors get",
            [stroke(x, share, "rows", COLORS[0], hovertemplate="%{y:.1%} of the rows are within %{x}<extra></extra>")],
            "Error is at most",
            "Share of rows",
            yaxis={"tickformat": ".0%"},
        ),
    ]


# As the field writes them; the others are their own names with spaces.
_NAMES = {
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "mcc": "MCC",
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
    "rmse": "RMSE",
    "mae": "MAE",
    "mape": "MAPE",
    "r2": "R²",
}


def ranking(names: list[str], metric: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Models beside each other by one metric, with intervals."""
    called = _NAMES.get(metric, metric.replace("_", " "))
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names[::-1],
        "x": numbers((c["value"] or 0) for c in cells[::-1]),
        "error_x": error_bars(cells[::-1]),
        "marker": {"color": COLORS[0]},
        "hovertemplate": "%{y}: %{x:.4g}<extra></extra>",
        "name": called,
    }
    return figure(
        "Models by " + called,
        [bars],
        called[0].upper() + called[1:],
        "",
        yaxis={"type": "category"},
        height=max(240, 50 * len(names) + 120),
    )
