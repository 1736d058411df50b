"""Ask a published model many rows or images, in batches: evaluation judges exactly what will be deployed."""

from __future__ import annotations

from typing import Any

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Model
from workers.training.model_folder import answers, session
from workers.training.rows import onnx_inputs, raw_rows

BATCH = 8192


def predict_rows(model: Model, table: Any) -> Any:
    """Answers for every row of an Arrow table: float32 `[rows, labels]` or `[rows, 1]`."""
    import numpy as np

    step, manifest = context.current(), model.manifest()
    if manifest["input"]["kind"] != "row":
        raise StepError("This model takes images, not rows.", hint="Use the step “Evaluate on images”.")
    rows = raw_rows(table, manifest["input"]["columns"])
    running = session(model.file() / "model.onnx", step.threads)
    made = []
    for start in range(0, table.num_rows, BATCH):
        step.check_cancelled()
        made.append(answers(running, manifest, onnx_inputs(rows, start, start + BATCH)))
        step.progress(0.6 * min(1.0, (start + BATCH) / table.num_rows), "Asking the model")
    if not made:
        raise StepError("There are no rows to evaluate on.")
    return np.concatenate(made)
