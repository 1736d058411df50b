"""Judge an image classifier on pictures it has not seen."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from workers.sdk.component import Seed, component
from workers.sdk.kinds import Figures, Images, Metrics, Model, Table


class Evaluation(NamedTuple):
    metrics: Annotated[Metrics, Field(title="Metrics", description="How good the model is, with 95 % intervals.")]
    figures: Annotated[Figures, Field(title="Figures", description="Confusion matrix, curves, calibration.")]
    predictions: Annotated[Table, Field(title="Predictions", description="Each picture with the model's answer.")]


@component()
def evaluate_images(
    model: Annotated[Model, Field(description="The model to judge.")],
    test: Annotated[Images, Field(title="Test part", description="Pictures the model has never seen.")],
    *,
    threshold: Annotated[float, Field(description="With two classes: say yes from this probability on.", ge=0, le=1)] = 0.5,
    bootstrap_rounds: Annotated[
        int, Field(description="How often the pictures are resampled for the intervals; 0 for none.", ge=0, le=10_000)
    ] = 500,
    seed: Annotated[int, Seed, Field(description="The same number gives the same intervals again.", ge=0, le=2**31 - 1)] = 0,
) -> Evaluation:
    """Evaluate on images

    Shows the published model every test picture and compares its answers with the labels: accuracy, precision and recall by class,
    confusion matrix, curves and calibration, all with 95 % intervals.
    """
    import numpy as np
    import pyarrow as pa

    from workers.sdk.errors import StepError
    from workers.training import evaluation
    from workers.training.predict import predict_images

    manifest = model.manifest()
    if manifest["input"]["kind"] != "image":
        raise StepError("This model takes rows, not images.", hint="Use the step “Evaluate classification”.", field="model")
    if manifest["output"]["kind"] == "detection":
        raise StepError("This model finds boxes.", hint="Use the step “Evaluate objects”.", field="model")
    codes = {label: i for i, label in enumerate(manifest["output"]["labels"])}
    table = test.arrow(["key", "label"])
    rows = [i for i, label in enumerate(table["label"].to_pylist()) if label in codes]
    if not rows:
        raise StepError("No test picture has a class that the model knows.", hint="It knows: " + ", ".join(list(codes)[:20]))
    kept = table.take(pa.array(rows))
    y = np.array([codes[label] for label in kept["label"].to_pylist()], dtype=np.int64)
    metrics, figures, predictions = evaluation.of_classes(
        model,
        y,
        predict_images(model, test, rows),
        unknown=table.num_rows - len(rows),
        rounds=bootstrap_rounds,
        seed=seed,
        threshold=threshold,
        shown=kept.select(["key"]),
    )
    return Evaluation(metrics=metrics, figures=figures, predictions=predictions)
