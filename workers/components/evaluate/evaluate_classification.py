"""Judge a model that predicts classes, on rows it has not seen."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, Seed, component
from workers.sdk.kinds import Figures, Metrics, Model, Table


class Evaluation(NamedTuple):
    metrics: Annotated[Metrics, Field(title="Metrics", description="How good the model is, with 95 % intervals.")]
    figures: Annotated[Figures, Field(title="Figures", description="Confusion matrix, curves, calibration.")]
    predictions: Annotated[Table, Field(title="Predictions", description="The test rows with the model's answers.")]


@component()
def evaluate_classification(
    model: Annotated[Model, Field(description="The model to judge.")],
    test: Annotated[Table, Field(title="Test part", description="Rows the model has never seen.")],
    *,
    group_column: Annotated[
        str, Column("test"), Field(description="Compare groups, such as sex or region: is the model as good, and as generous, to each?")
    ] = "",
    threshold: Annotated[
        float,
        Field(description="With two classes: say yes from this probability on. The figure shows what other values would give.", ge=0, le=1),
    ] = 0.5,
    bootstrap_rounds: Annotated[
        int, Field(description="How often the test rows are resampled for the intervals; 0 for none.", ge=0, le=10_000)
    ] = 500,
    seed: Annotated[int, Seed, Field(description="The same number gives the same intervals again.", ge=0, le=2**31 - 1)] = 0,
) -> Evaluation:
    """Evaluate classification

    Asks the published model every test row and compares its answers with the truth: accuracy, precision, recall, ROC and precision-
    recall curves, how honest its probabilities are, all with 95 % intervals, and if you like for groups of people or things.
    """
    from workers.sdk.errors import StepError
    from workers.training import evaluation
    from workers.training.predict import predict_rows
    from workers.training.target import Target, encode_target

    manifest = model.manifest()
    if manifest["task"] == "spans":
        raise StepError("This model finds spans in texts.", hint="Use the step “Evaluate spans”.", field="model")
    if manifest["task"] != "classification":
        raise StepError("This model predicts numbers.", hint="Use the step “Evaluate regression”.", field="model")
    table = test.arrow()
    rows, y = encode_target(table, Target(name=manifest["target"], task="classification", labels=manifest["output"]["labels"], positive=""))
    kept = table.take(rows) if len(rows) < table.num_rows else table
    metrics, figures, predictions = evaluation.of_classes(
        model,
        y,
        predict_rows(model, kept),
        unknown=table.num_rows - len(rows),
        rounds=bootstrap_rounds,
        seed=seed,
        threshold=threshold,
        groups=evaluation.group_values(table, rows, group_column),
        group_column=group_column,
        shown=kept,
    )
    return Evaluation(metrics=metrics, figures=figures, predictions=predictions)
