"""Judge an object detector on pictures it has not seen."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from workers.sdk.component import Seed, component
from workers.sdk.kinds import Figures, Images, Metrics, Model, Table


class Evaluation(NamedTuple):
    metrics: Annotated[Metrics, Field(title="Metrics", description="How good the model is, with 95 % intervals.")]
    figures: Annotated[Figures, Field(title="Figures", description="Precision and recall, thresholds, each label.")]
    predictions: Annotated[Table, Field(title="Boxes", description="Each box that was told, and each that was missed.")]


@component()
def evaluate_objects(
    model: Annotated[Model, Field(description="The detector to judge.")],
    test: Annotated[Images, Field(title="Test part", description="Pictures with boxes that the model has never seen.")],
    *,
    control: Annotated[
        str,
        Field(
            title="Question",
            description="The name of the RectangleLabels whose boxes are the truth, where the label schema has several. Empty: all boxes.",
            max_length=200,
        ),
    ] = "",
    threshold: Annotated[
        float,
        Field(description="Precision, recall and F1 are those of boxes from this score on; 0 takes the model's own threshold.", ge=0, le=1),
    ] = 0.0,
    bootstrap_rounds: Annotated[
        int, Field(description="How often the pictures are resampled for the intervals; 0 for none.", ge=0, le=10_000)
    ] = 200,
    seed: Annotated[int, Seed, Field(description="The same number gives the same intervals again.", ge=0, le=2**31 - 1)] = 0,
) -> Evaluation:
    """Evaluate objects

    Shows the published detector every test picture and compares its boxes with those that people drew: mean average precision as COCO
    defines it (mAP@[.5:.95], and mAP@0.5), precision and recall, all by label and with 95 % intervals.
    """
    from workers.sdk.errors import StepError
    from workers.training import boxes, object_evaluation
    from workers.training.predict import predict_boxes

    manifest = model.manifest()
    if manifest["output"]["kind"] != "detection":
        right = "Evaluate on images" if manifest["input"]["kind"] == "image" else "Evaluate classification"
        raise StepError("This model finds no boxes.", hint=f"Use the step “{right}”.", field="model")
    drawn = boxes.read(test, manifest["output"]["labels"], control=control)
    if not drawn.count:
        raise StepError("No box of the test part has a label that the model knows.", hint="It knows: " + ", ".join(drawn.labels[:20]))
    metrics, figures, predictions = object_evaluation.of_boxes(
        model, drawn, predict_boxes(model, test, drawn.rows), threshold=threshold, rounds=bootstrap_rounds, seed=seed
    )
    return Evaluation(metrics=metrics, figures=figures, predictions=predictions)
