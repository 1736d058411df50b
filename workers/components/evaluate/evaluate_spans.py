"""Judge a model that finds spans, on texts it has not seen."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from workers.sdk.component import Column, Seed, component
from workers.sdk.kinds import Figures, Metrics, Model, Table


class Evaluation(NamedTuple):
    metrics: Annotated[Metrics, Field(title="Metrics", description="How good the model is, with 95 % intervals.")]
    figures: Annotated[Figures, Field(title="Figures", description="Precision and recall by label, and what went wrong.")]
    predictions: Annotated[Table, Field(title="Predictions", description="Each text with the spans that there are and that were found.")]


@component()
def evaluate_spans(
    model: Annotated[Model, Field(description="The model to judge.")],
    test: Annotated[Table, Field(title="Test part", description="Texts with labelled spans that the model has never seen.")],
    *,
    spans_column: Annotated[
        str,
        Column("test"),
        Field(title="Column with spans", description="Empty: the one that the model learned from."),
    ] = "",
    offsets: Annotated[
        Literal["UTF-16 units", "characters"],
        Field(title="Places count", description="As in training: UTF-16 units as browsers count, or characters as Python does."),
    ] = "UTF-16 units",
    bootstrap_rounds: Annotated[
        int, Field(description="How often the texts are resampled for the intervals; 0 for none.", ge=0, le=10_000)
    ] = 500,
    seed: Annotated[int, Seed, Field(description="The same number gives the same intervals again.", ge=0, le=2**31 - 1)] = 0,
) -> Evaluation:
    """Evaluate spans

    Has the published model read every test text and compares the spans it finds with those that people marked. A span is right if it
    begins and ends exactly where theirs does and has its label (as CoNLL-2003 counts); partial F1 also counts spans that are half right.
    """
    from workers.training import span_evaluation

    metrics, figures, predictions = span_evaluation.evaluate(
        model, test, spans_column=spans_column, offsets=offsets, rounds=bootstrap_rounds, seed=seed
    )
    return Evaluation(metrics=metrics, figures=figures, predictions=predictions)
