"""Rank models by a metric and pick the best."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.kinds import Figures, Metrics, Model, Table


class Comparison(NamedTuple):
    ranking: Annotated[Table, Field(title="Ranking", description="The models, best first.")]
    figures: Annotated[Figures, Field(title="Figures", description="The models beside each other.")]
    best_metrics: Annotated[Metrics, Field(title="Metrics of the best", description="The evaluation of the best model.")]
    best: Annotated[Model | None, Field(title="Best model", description="The best model; given when the models are connected too.")]


@component()
def compare_models(
    metrics: Annotated[list[Metrics], Field(description="The models' evaluations, on the same test part.")],
    models: Annotated[list[Model] | None, Field(description="The models themselves, in any order: the best one comes out.")] = None,
    *,
    metric: Annotated[
        Literal[
            "automatic",
            "accuracy",
            "balanced_accuracy",
            "roc_auc",
            "average_precision",
            "f1",
            "macro_f1",
            "weighted_f1",
            "precision",
            "recall",
            "mcc",
            "log_loss",
            "brier",
            "ece",
            "rmse",
            "mae",
            "median_absolute_error",
            "mape",
            "r2",
            "map",
            "map_50",
        ],
        Field(
            description="What to rank by. automatic: area under the ROC curve for two classes, accuracy for more, RMSE for numbers, "
            "mAP for boxes."
        ),
    ] = "automatic",
) -> Comparison:
    """Compare models

    Puts evaluations beside each other, ranks them by one metric, and passes the best model on. Where the best one's interval reaches
    the next one's value the difference may be chance, and the ranking says so.
    """
    import pyarrow as pa

    from workers.sdk import context
    from workers.sdk.errors import StepError
    from workers.training import figures as charts

    lower_is_better = {"log_loss", "brier", "ece", "rmse", "mae", "median_absolute_error", "mape", "bias", "largest_error"}
    step = context.current()
    found = [m.json() for m in metrics]
    if len({m["task"] for m in found}) > 1:
        raise StepError("Some of these models predict classes, some numbers or boxes; they cannot be compared.")
    if metric == "automatic":
        task = found[0]["task"]
        choice = (
            "map"
            if task == "detection"
            else "rmse"
            if task == "regression"
            else "roc_auc"
            if len(found[0].get("labels", [])) == 2
            else "accuracy"
        )
        by = choice if all(choice in m["values"] for m in found) else next(iter(found[0]["values"]))
    else:
        by = metric
    if absent := [m["model"]["name"] for m in found if m["values"].get(by, {}).get("value") is None]:
        known = [n for n in found[0]["values"] if all(n in m["values"] for m in found)]
        raise StepError(f"“{absent[0]}” has no {by.replace('_', ' ')}.", hint="All of them have: " + ", ".join(known), field="metric")
    order = sorted(range(len(found)), key=lambda i: found[i]["values"][by]["value"] * (1 if by in lower_is_better else -1))
    names = _distinct([m.get("model", {}).get("name", "model") for m in found])
    winner = found[order[0]]["values"][by]

    def tied(cell):  # type: ignore[no-untyped-def]
        if winner.get("low") is None:
            return False
        return cell["value"] <= winner["high"] if by in lower_is_better else cell["value"] >= winner["low"]

    every = [n for n in found[0]["values"] if all(n in m["values"] for m in found)]
    shown = [by, *[n for n in every if n != by]]
    columns: dict[str, object] = {
        "rank": list(range(1, len(order) + 1)),
        "model": [names[i] for i in order],
        **{n: [found[i]["values"][n]["value"] for i in order] for n in shown[:1]},
        "low": [found[i]["values"][by].get("low") for i in order],
        "high": [found[i]["values"][by].get("high") for i in order],
        "as good as the best": [tied(found[i]["values"][by]) or i == order[0] for i in order],
        **{n: [found[i]["values"][n]["value"] for i in order] for n in shown[1:]},
    }
    for place, i in enumerate(order):
        step.log(f"{place + 1}. {names[i]}: {by.replace('_', ' ')} {found[i]['values'][by]['value']:.4g}")
    if sum(columns["as good as the best"]) > 1:  # type: ignore[call-overload]
        step.log("The best model's interval reaches the next one's value: the difference may be chance.")
    figures = [charts.ranking([names[i] for i in order], n, [found[i]["values"][n] for i in order]) for n in shown[:6]]
    best = None
    if models:
        wanted = found[order[0]].get("model", {}).get("fingerprint")
        best = next((m for m in models if m.manifest()["fingerprint"] == wanted), None)
        if best is None:
            raise StepError(
                f"The model “{names[order[0]]}” is the best, but it is not among the models connected.",
                hint="Connect it too.",
                field="models",
            )
    return Comparison(
        ranking=Table.from_arrow(pa.table(columns), types={"model": "category"}),
        figures=Figures.of(figures, count=len(figures)),
        best_metrics=metrics[order[0]],
        best=best,
    )


def _distinct(names: list[str]) -> list[str]:
    """Number the names that occur twice."""
    return [n if names.count(n) == 1 else f"{n} ({names[: i + 1].count(n)})" for i, n in enumerate(names)]
