"""The evaluation of a model that finds spans: texts in, Metrics, Figures and a table of predictions out."""

from __future__ import annotations

import json
from typing import Any

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Figures, Metrics, Model, Table
from workers.sdk.spans import Span, column_of
from workers.training import figures as charts
from workers.training import span_measure
from workers.training import spans as truth
from workers.training.evaluation import tell
from workers.training.predict import predict_spans

MOST_LABELS = 40


def evaluate(model: Model, test: Table, *, spans_column: str, offsets: str, rounds: int, seed: int) -> tuple[Metrics, Figures, Table]:
    """The component's body."""
    import pyarrow as pa

    step, manifest = context.current(), model.manifest()
    column = column_of(manifest)
    if column is None:
        raise StepError("This model finds no spans.", hint="Use the evaluation for what it predicts.", field="model")
    said = truth.labelled(test, column["name"], spans_column or manifest["target"], offsets)
    if not said.texts:
        raise StepError(f"No test text has labelled spans in “{said.spans_column}”.", hint="Is it the column the model was trained on?")
    if said.unlabelled:
        step.log(f"{said.unlabelled:,} rows that nobody has labelled are not counted.")
    found = predict_spans(model, said.texts)
    predicted = [[Span(s["start"], s["end"], s["label"]) for s in one["spans"]] for one in found]
    known = manifest["output"]["labels"]
    unknown = sorted({span.label for spans in said.spans for span in spans} - set(known))
    if unknown:
        named = ", ".join(f"“{label}”" for label in unknown[:10])
        step.log(f"The model has never seen the label {named}: its spans count as missed.", "warning")
    labels = [*known, *unknown]
    step.progress(0.7, "Measuring")
    table = span_measure.counts(said.spans, predicted, labels)
    if not table.sum():
        raise StepError("There is no span in the test texts, and the model finds none: nothing can be measured.")
    values, per_label = span_measure.measured(table, labels, rounds, seed)
    metrics: dict[str, Any] = {
        "task": "spans",
        "rows": len(said.texts),
        "target": said.spans_column,
        "labels": labels,
        "values": values,
        "per_class": per_label,
        "model": {"name": manifest["name"], "fingerprint": manifest["fingerprint"]},
    }
    made = [charts.per_class(per_label, "label"), _outcomes(span_measure.outcomes(said.spans, predicted, labels), labels)]
    tell(metrics)
    shown = pa.table({
        said.text_column: pa.array(said.texts),
        "spans there are": pa.array([_cell(spans) for spans in said.spans]),
        "spans found": pa.array([json.dumps(one["spans"], ensure_ascii=False) for one in found]),
        "all right": pa.array([set(a) == set(b) for a, b in zip(said.spans, predicted, strict=True)]),
        "score": pa.array([one["score"] for one in found]),
    })  # fmt: skip
    types = {said.text_column: "text", "spans there are": "json", "spans found": "json"}
    return Metrics.of(metrics), Figures.of(made, count=len(made)), Table.from_arrow(shown, types=types)


def _cell(spans: list[Span]) -> str:
    return json.dumps([span._asdict() for span in spans], ensure_ascii=False)


def _outcomes(table: Any, labels: list[str]) -> dict[str, Any]:
    """For each label what became of its spans (the most frequent 40 where there are more)."""
    order = sorted(range(len(labels)), key=lambda n: -int(table[n].sum()))[:MOST_LABELS]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [labels[n] for n in order],
            "x": [int(table[n, kind]) for n in order],
            "name": name.capitalize(),
            "marker": {"color": charts.COLORS[color]},
            "hovertemplate": "%{y}: %{x}<extra>" + name + "</extra>",
        }
        for kind, (name, color) in enumerate(zip(span_measure.OUTCOMES, (2, 5, 1, 3, 7), strict=True))
    ]
    return charts.figure(
        "What became of each span", data, "Spans", "Label", barmode="stack", yaxis={"type": "category", "autorange": "reversed"},
        height=max(300, 28 * len(order) + 120),
    )  # fmt: skip
