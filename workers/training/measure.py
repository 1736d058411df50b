"""How good answers are: the usual metrics, each with a 95 % interval from a seeded bootstrap.

Bootstrap without loops over rows: metrics of counts are functions of the confusion table, whose resamples are one multinomial draw;
metrics of scores work on a table of at most `BINS` score bins by class, likewise; means are resampled as means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

BINS = 2048
CALIBRATION_BINS = 15
# Beyond this many rows a resample takes this many and its spread is scaled down to the true size.
RESAMPLE_AT_MOST = 50_000
# Beyond this many classes the intervals of per-class curves cost more than they tell.
CURVES_AT_MOST = 50
BELOW = 1e-12


def _ratio(top: Any, bottom: Any) -> Any:
    import numpy as np

    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=np.asarray(bottom) > 0)


def confusion(y: Any, predicted: Any, classes: int) -> Any:
    """Counts `[true, predicted]`."""
    import numpy as np

    return np.bincount(y * classes + predicted, minlength=classes * classes).reshape(classes, classes).astype(np.float64)


def from_confusion(tables: Any) -> dict[str, Any]:
    """Metrics of confusion tables `[…, true, predicted]`; per class ones are `[…, class]`."""
    import numpy as np

    total = tables.sum(axis=(-1, -2))
    hit, true, said = np.diagonal(tables, axis1=-2, axis2=-1), tables.sum(axis=-1), tables.sum(axis=-2)
    recall, precision = _ratio(hit, true), _ratio(hit, said)
    f1 = _ratio(2 * hit, true + said)
    there = true > 0
    share = there.sum(axis=-1)  # classes absent from the test part do not count
    macro = lambda values: _ratio((values * there).sum(axis=-1), share)  # noqa: E731
    correct, chance = hit.sum(axis=-1), (true * said).sum(axis=-1)
    spread = np.sqrt((total**2 - (said**2).sum(axis=-1)) * (total**2 - (true**2).sum(axis=-1)))
    return {
        "accuracy": _ratio(correct, total),
        "balanced_accuracy": macro(recall),
        "macro_precision": macro(precision),
        "macro_recall": macro(recall),
        "macro_f1": macro(f1),
        "weighted_f1": _ratio((f1 * true).sum(axis=-1), total),
        "mcc": _ratio(correct * total - chance, spread),
        "kappa": _ratio(correct * total - chance, total**2 - chance),
        "per_class": {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "support": true,
            "specificity": _ratio(total[..., None] - true - said + hit, total[..., None] - true),
        },
    }


def score_table(score: Any, positive: Any) -> tuple[Any, Any]:
    """Counts `[bin, class]` in rising order of score, and each bin's mean score. Exact where there are at most `BINS` different scores."""
    import numpy as np

    values, inverse = np.unique(score, return_inverse=True)
    if len(values) > BINS:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
        inverse = np.searchsorted(edges, score, side="right")
    bins = int(inverse.max()) + 1
    counts = np.bincount(inverse * 2 + positive.astype(int), minlength=2 * bins).reshape(bins, 2).astype(np.float64)
    mean = _ratio(np.bincount(inverse, weights=score.astype(np.float64), minlength=bins), counts.sum(axis=1))
    return counts, mean


def roc_auc(tables: Any) -> Any:
    """Area under the ROC curve of score tables `[…, bin, class]`; ties count half. Not a number without both classes."""
    import numpy as np

    negative, positive = tables[..., 0], tables[..., 1]
    below = np.cumsum(negative, axis=-1) - negative / 2
    area, pairs = (positive * below).sum(axis=-1), negative.sum(axis=-1) * positive.sum(axis=-1)
    return np.divide(area, pairs, out=np.full(np.shape(pairs), np.nan), where=pairs > 0)


def average_precision(tables: Any) -> Any:
    """Area under the precision-recall curve (step-wise), of score tables `[…, bin, class]`."""
    import numpy as np

    falling = tables[..., ::-1, :]
    found, said = np.cumsum(falling[..., 1], axis=-1), np.cumsum(falling.sum(axis=-1), axis=-1)
    total = found[..., -1]
    area = (_ratio(found, said) * falling[..., 1]).sum(axis=-1)
    return np.divide(area, total, out=np.full(np.shape(total), np.nan), where=total > 0)


def _resample(counts: Any, rounds: int, random: Any) -> Any:
    """Resamples of a table of counts: `[rounds, *shape]`."""
    import numpy as np

    flat = counts.reshape(-1)
    used = np.flatnonzero(flat)
    drawn = np.zeros((rounds, len(flat)))
    drawn[:, used] = random.multinomial(int(flat.sum()), flat[used] / flat.sum(), size=rounds)
    return drawn.reshape(rounds, *counts.shape)


def _interval(value: float, samples: Any) -> dict[str, float | None]:
    import numpy as np

    samples = samples[np.isfinite(samples)]
    if not np.isfinite(value):
        return {"value": None, "low": None, "high": None}
    if len(samples) < 2:
        return {"value": float(value), "low": None, "high": None}
    low, high = np.quantile(samples, [0.025, 0.975])
    return {"value": float(value), "low": float(min(low, value)), "high": float(max(high, value))}


def _mean_interval(values: Any, rounds: int, random: Any, after: Callable[[Any], Any] = lambda mean: mean) -> dict[str, float | None]:
    """Of a mean over rows (after a transformation of the mean)."""
    import numpy as np

    return _interval(float(after(values.mean())), after(_means(values[:, None].astype(np.float64), rounds, random)[:, 0]))


def _means(columns: Any, rounds: int, random: Any) -> Any:
    """Resampled means of each column: `[rounds, columns]`."""
    import numpy as np

    rows = len(columns)
    take = min(rows, RESAMPLE_AT_MOST)
    made = (
        np.stack([columns[random.integers(0, rows, take)].mean(axis=0) for _ in range(rounds)])
        if rounds
        else np.empty((0, columns.shape[1]))
    )
    middle = columns.mean(axis=0)
    return middle + (made - middle) * np.sqrt(take / rows)


def classification(
    y: Any, chances: Any, labels: list[str], positive: int | None, threshold: float, rounds: int, seed: int
) -> dict[str, Any]:
    """Everything about class answers. `y` are class numbers, `chances` `[rows, labels]`; `positive` is the
    class looked for (two labels)."""
    import numpy as np

    random = np.random.default_rng(seed)
    classes, rows = len(labels), len(y)
    chances = chances.astype(np.float64)
    predicted = decide(chances, positive, threshold)
    table = confusion(y, predicted, classes)
    point, drawn = from_confusion(table), from_confusion(_resample(table, rounds, random)) if classes <= 200 else None
    values: dict[str, Any] = {
        name: _interval(float(point[name]), drawn[name] if drawn else np.empty(0))
        for name in ("accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "weighted_f1", "mcc", "kappa")
    }
    per_class: dict[str, Any] = {}
    for i, label in enumerate(labels):
        per_class[label] = {
            name: _interval(float(point["per_class"][name][i]), drawn["per_class"][name][:, i] if drawn else np.empty(0))
            for name in ("precision", "recall", "f1")
        }
        per_class[label]["support"] = {"value": int(point["per_class"]["support"][i])}
    true_chance = np.clip(chances[np.arange(rows), y], BELOW, 1)
    values["log_loss"] = _mean_interval(-np.log(true_chance), rounds, random)
    wanted = np.zeros_like(chances)
    wanted[np.arange(rows), y] = 1
    squares = np.square(chances - wanted).sum(axis=1)
    areas, area_samples, precisions = [], [], []
    for i in range(classes) if classes <= CURVES_AT_MOST else ():
        if positive is not None and i != positive:
            continue
        counts, _ = score_table(chances[:, i], y == i)
        area = float(roc_auc(counts))
        if not np.isfinite(area):
            continue
        again = _resample(counts, rounds, random)
        areas.append(area)
        area_samples.append(roc_auc(again))
        precisions.append((float(average_precision(counts)), average_precision(again)))
        per_class[labels[i]] |= {"roc_auc": _interval(area, area_samples[-1]), "average_precision": _interval(*precisions[-1])}
    if positive is not None:
        values["brier"] = _mean_interval(squares / 2, rounds, random)
        for name in ("precision", "recall", "specificity", "f1"):
            values[name] = _interval(
                float(point["per_class"][name][positive]), drawn["per_class"][name][:, positive] if drawn else np.empty(0)
            )
        values["roc_auc"] = _interval(areas[0], area_samples[0]) if areas else {"value": None}
        values["average_precision"] = _interval(*precisions[0]) if precisions else {"value": None}
        for name in ("macro_precision", "macro_recall"):
            values.pop(name)
    else:
        values["brier"] = _mean_interval(squares, rounds, random)
        if areas:
            values["roc_auc"] = _interval(float(np.mean(areas)), np.nanmean(area_samples, axis=0))
            values["average_precision"] = _interval(
                float(np.mean([p for p, _ in precisions])), np.nanmean([s for _, s in precisions], axis=0)
            )
        if classes > 3:
            place = (chances > chances[np.arange(rows), y][:, None]).sum(axis=1)
            values["top_3_accuracy"] = _mean_interval((place < 3).astype(float), rounds, random)
    sure, right = _sure(chances, y, predicted, positive)
    curve = calibration(sure, right)
    values["ece"] = _interval(_ece(np.asarray([[b["right"], b["sure"], b["count"]] for b in curve])), _ece_samples(curve, rounds, random))
    return {"values": values, "per_class": per_class, "confusion": table, "predicted": predicted, "calibration": curve}


def decide(chances: Any, positive: int | None, threshold: float) -> Any:
    """The class number each row is given: with two classes by the threshold on the one looked for, else the likeliest."""
    import numpy as np

    if positive is None:
        return chances.argmax(axis=1)
    return np.where(chances[:, positive] >= threshold, positive, 1 - positive)


def _sure(chances: Any, y: Any, predicted: Any, positive: int | None) -> tuple[Any, Any]:
    """What calibration compares: the probability given, and whether it came true."""
    if positive is not None:
        return chances[:, positive], y == positive
    return chances.max(axis=1), chances.argmax(axis=1) == y


def calibration(sure: Any, right: Any, bins: int = CALIBRATION_BINS) -> list[dict[str, float]]:
    """Of answers about equally sure: how sure on average, how often right. Bins of equal width; empty ones are absent."""
    import numpy as np

    place = np.minimum((sure * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    mean, share = (
        _ratio(np.bincount(place, weights=sure, minlength=bins), count),
        _ratio(np.bincount(place, weights=right, minlength=bins), count),
    )
    return [{"sure": float(mean[i]), "right": float(share[i]), "count": int(count[i])} for i in range(bins) if count[i]]


def _ece(bins: Any) -> float:
    return float((abs(bins[:, 0] - bins[:, 1]) * bins[:, 2]).sum() / bins[:, 2].sum())


def _ece_samples(curve: list[dict[str, float]], rounds: int, random: Any) -> Any:
    import numpy as np

    counts = np.asarray([[b["count"] * (1 - b["right"]), b["count"] * b["right"]] for b in curve]).round()
    drawn = _resample(counts, rounds, random)
    size = drawn.sum(axis=2)
    apart = abs(_ratio(drawn[:, :, 1], size) - np.asarray([b["sure"] for b in curve]))
    return (apart * size).sum(axis=1) / size.sum(axis=1)


def regression(y: Any, predicted: Any, rounds: int, seed: int) -> dict[str, Any]:
    """Everything about predicted numbers."""
    import numpy as np

    random = np.random.default_rng(seed)
    error = predicted - y
    # 0: error, 1: its size, 2: its square, 3: y, 4: y squared, 5: share of y (where y is not 0), 6: how often y is not 0
    nonzero = np.abs(y) > 1e-9
    shift = y - y.mean()  # the variance of large numbers needs its digits
    columns = np.stack(
        [
            error,
            np.abs(error),
            error**2,
            shift,
            shift**2,
            np.divide(np.abs(error), np.abs(y), out=np.zeros(len(y)), where=nonzero),
            nonzero,
        ],
        axis=1,
    )
    made, point = _means(columns, rounds, random), columns.mean(axis=0)

    def share(m: Any) -> Any:
        spread = m[..., 4] - m[..., 3] ** 2
        return 1 - np.divide(m[..., 2], spread, out=np.full(np.shape(spread), np.nan), where=np.asarray(spread) > 0)

    formulas: Mapping[str, Callable[[Any], Any]] = {
        "rmse": lambda m: np.sqrt(np.maximum(m[..., 2], 0)),
        "mae": lambda m: m[..., 1],
        "r2": share,
        "bias": lambda m: m[..., 0],
        "mape": lambda m: _ratio(m[..., 5], m[..., 6]),
    }
    values = {name: _interval(float(formula(point)), formula(made)) for name, formula in formulas.items()}
    if not nonzero.any():
        values.pop("mape")
    size = columns[:, 1]
    take = min(len(size), 5000)
    medians = np.stack([np.median(size[random.integers(0, len(size), take)]) for _ in range(min(rounds, 200))]) if rounds else np.empty(0)
    middle = float(np.median(size))
    values["median_absolute_error"] = _interval(middle, middle + (medians - middle) * np.sqrt(take / len(size)))
    values["largest_error"] = {"value": float(size.max())}
    return {"values": values, "error": error}


def by_group(groups: Any, y: Any, answered: Any, positive: int | None, predicted: Any, rounds: int, seed: int) -> dict[str, Any]:
    """The same numbers for each group of people or things, and how far the groups are apart.

    With a class looked for: how often each group is chosen (selection rate), and how often rightly. Otherwise accuracy; of
    numbers the errors. Groups with fewer than 10 rows are told together as “(small groups)”.
    """
    import numpy as np

    names, inverse, counts = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shown = [i for i in order if counts[i] >= 10][:50]
    rest = np.isin(inverse, shown, invert=True)
    parts = [(str(names[i]) or "(missing)", inverse == i) for i in shown] + ([("(small groups)", rest)] if rest.any() else [])
    rows: list[dict[str, Any]] = []
    for number, (name, here) in enumerate(parts):
        random = np.random.default_rng([seed, number])
        row: dict[str, Any] = {"group": name, "rows": int(here.sum())}
        if answered is None:
            error = predicted[here] - y[here]
            row["mae"] = _mean_interval(np.abs(error), rounds, random)
            row["rmse"] = _mean_interval(error**2, rounds, random, lambda m: np.sqrt(np.maximum(m, 0)))
            row["bias"] = _mean_interval(error, rounds, random)
        else:
            row["accuracy"] = _mean_interval((predicted[here] == y[here]).astype(float), rounds, random)
            if positive is not None:
                chosen, true = predicted[here] == positive, y[here] == positive
                row["base_rate"] = _mean_interval(true.astype(float), rounds, random)
                row["selection_rate"] = _mean_interval(chosen.astype(float), rounds, random)
                nothing = {"value": None, "low": None, "high": None}
                row["true_positive_rate"] = _mean_interval(chosen[true].astype(float), rounds, random) if true.any() else nothing
                row["false_positive_rate"] = _mean_interval(chosen[~true].astype(float), rounds, random) if (~true).any() else nothing
                row["precision"] = _mean_interval(true[chosen].astype(float), rounds, random) if chosen.any() else nothing
                counts_here, _ = score_table(answered[here][:, positive].astype(np.float64), true)
                row["roc_auc"] = _interval(float(roc_auc(counts_here)), roc_auc(_resample(counts_here, rounds, random)))
        rows.append(row)
    apart: dict[str, float] = {}
    for metric in ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy", "mae"):
        found = [r[metric]["value"] for r in rows if r["group"] != "(small groups)" and r.get(metric, {}).get("value") is not None]
        if len(found) > 1:
            apart[f"{metric}_difference"] = max(found) - min(found)
            if metric == "selection_rate" and max(found) > 0:
                apart["selection_rate_ratio"] = min(found) / max(found)
    return {"groups": rows, "apart": apart}


def threshold_table(score: Any, positive: Any, steps: int = 101) -> list[dict[str, float]]:
    """What each decision threshold from 0 to 1 would give."""
    import numpy as np

    at = np.linspace(0, 1, steps)
    up, down = np.sort(score[positive]), np.sort(score[~positive])
    hit, false = len(up) - np.searchsorted(up, at, side="left"), len(down) - np.searchsorted(down, at, side="left")
    precision, recall = _ratio(hit, hit + false), _ratio(hit, len(up))
    f1 = _ratio(2 * hit, hit + false + len(up))
    return [
        {
            "threshold": float(at[i]),
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "specificity": 1 - float(false[i] / max(1, len(down))),
            "selection_rate": float((hit[i] + false[i]) / max(1, len(score))),
        }
        for i in range(steps)
    ]
