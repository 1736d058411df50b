"""Ask a published model many rows or images, in batches: evaluation judges exactly what will be deployed."""

from __future__ import annotations

from typing import Any

from workers.sdk import boxes, context, spans, texts
from workers.sdk.errors import StepError
from workers.sdk.kinds import Images, Model
from workers.training.model_folder import answers, session
from workers.training.rows import onnx_inputs, raw_rows

BATCH = 8192
IMAGE_BATCH = 64
SPAN_BATCH = 64


def predict_rows(model: Model, table: Any) -> Any:
    """Answers for every row of an Arrow table: float32 `[rows, labels]` or `[rows, 1]`."""
    import numpy as np

    step, manifest = context.current(), model.manifest()
    if manifest["input"]["kind"] != "row":
        raise StepError("This model takes images, not rows.", hint="Use the step “Evaluate on images”.")
    rows = raw_rows(table, manifest["input"]["columns"])
    running, readers = session(model.file() / "model.onnx", step.threads), texts.kept(manifest, model.file())
    made = []
    for start in range(0, table.num_rows, BATCH):
        step.check_cancelled()
        made.append(answers(running, manifest, onnx_inputs(rows, start, start + BATCH), readers))
        step.progress(0.6 * min(1.0, (start + BATCH) / table.num_rows), "Asking the model")
    if not made:
        raise StepError("There are no rows to evaluate on.")
    return np.concatenate(made)


def predict_spans(model: Model, asked: list[str]) -> list[dict[str, Any]]:
    """What the predictor answers for each text: `{spans: [{start, end, label, score, text}], score}`."""
    step, manifest = context.current(), model.manifest()
    reader = spans.kept(manifest, model.file())
    if reader is None:
        raise StepError("This model finds no spans.", hint="Use the evaluation for what it predicts.", field="model")
    running = session(model.file() / "model.onnx", step.threads)
    made: list[dict[str, Any]] = []
    for start in range(0, len(asked), SPAN_BATCH):
        step.check_cancelled()
        made += spans.answered(running, manifest, reader, asked[start : start + SPAN_BATCH])
        step.progress(0.6 * min(1.0, (start + SPAN_BATCH) / len(asked)), "Asking the model")
    return made


def predict_images(model: Model, images: Images, rows: list[int]) -> Any:
    """Answers for the given pictures: float32 `[pictures, labels]`. They are decoded as the predictor decodes them."""
    import numpy as np

    from workers.training.pictures import decode

    step, manifest = context.current(), model.manifest()
    asked = manifest["input"]
    x = decode(images, "test", asked["height"], asked["width"], asked["channels"], rows, share=(0, 0.4))
    running = session(model.file() / "model.onnx", step.threads)
    made = []
    for start in range(0, len(x), IMAGE_BATCH):
        step.check_cancelled()
        made.append(answers(running, manifest, {asked["onnx_input"]: np.ascontiguousarray(x[start : start + IMAGE_BATCH])}, {}))
        step.progress(0.4 + 0.2 * min(1.0, (start + IMAGE_BATCH) / len(x)), "Asking the model")
    return np.concatenate(made)


def predict_boxes(model: Model, images: Images, rows: list[int]) -> list[Any]:
    """What a detector finds in the given pictures: `[100, 6]` each (`workers.sdk.boxes.found`)."""
    labels = len(model.manifest()["output"]["labels"])
    places = predict_images(model, images, rows)
    return [one for answer in places for one in boxes.found(answer.reshape(1, -1, 4 + labels))]
