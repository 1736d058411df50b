"""What all trainers on rows share: choose the target, prepare the columns, publish the result.

A trainer is then three things: fit an estimator on `job.x`, say what it answers, write it after the recipe into ONNX.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Metrics, Model, Recipe, Table
from workers.training import recipe as recipes
from workers.training.model_folder import PARITY_ROWS, write_model
from workers.training.onnx_graph import Graph
from workers.training.rows import onnx_inputs, raw_rows
from workers.training.target import Target, choose_target, encode_target, read_target


@dataclass(kw_only=True)
class Job:
    """One training on rows, ready to fit. `y` holds class numbers or values; `weights` a weight for each row, or None."""

    target: Target
    recipe: dict[str, Any]
    rows: dict[str, Any]
    x: Any
    y: Any
    weights: Any
    x_validation: Any = None
    y_validation: Any = None
    dataset_versions: list[str]

    @property
    def classes(self) -> int:
        return len(self.target.labels)


def prepare(
    train: Table, validation: Table | None, recipe: Recipe | None, *, target: str, task: str, positive_label: str, balance: bool, style: str
) -> Job:
    """Read the training part and turn it into numbers. Without a recipe one is learned that suits the `style` of model:
    linear, trees, or boosting (which can do with missing numbers)."""
    import numpy as np

    step = context.current()
    known: dict[str, Any] | None = recipe.json() if recipe is not None else None
    if known is not None and known.get("format") not in recipes.FORMATS:
        raise StepError("This recipe was made by another version of the studio.", hint="Run the step that prepares the features again.")
    name = choose_target(train, target, known)
    loaded = train.arrow()
    aim = read_target(loaded, name, train.types[name], task, positive_label)
    if known is None:
        known = recipes.fit(loaded, train.types, target=name, of_files=train.metadata.get("of_files", ()), **AUTOMATIC[style])
    if name in {c["name"] for c in known["columns"]}:
        raise StepError(
            f"The recipe uses the target “{name}” as a feature: the model would only copy it.",
            hint="Choose the target in Prepare features too.",
            field="target",
        )
    for left in known["left_out"]:
        step.log(f"Not used: {left['name']} ({left['why']}).")
    usable, y = encode_target(loaded, aim)
    if len(usable) < loaded.num_rows:
        step.log(f"{loaded.num_rows - len(usable)} rows without a target are left out.", "warning")
    columns = known["columns"]
    rows = raw_rows(loaded.take(usable) if len(usable) < loaded.num_rows else loaded, columns)
    weights = None
    if balance and aim.task == "classification":
        counts = np.bincount(y, minlength=len(aim.labels))
        weights = (len(y) / (len(aim.labels) * np.maximum(counts, 1)))[y]
    job = Job(
        target=aim,
        recipe=known,
        rows=rows,
        x=recipes.apply(known, rows),
        y=y,
        weights=weights,
        dataset_versions=list(train.metadata.get("dataset_versions", [])),
    )
    if validation is not None:
        table = validation.arrow()
        usable, job.y_validation = encode_target(table, aim)
        job.x_validation = recipes.apply(known, raw_rows(table.take(usable), columns))
        if not len(usable):
            job.x_validation = job.y_validation = None
    if style != "boosting" and any(np.isnan(x).any() for x in (job.x, job.x_validation) if x is not None):
        raise StepError(
            "The recipe keeps missing numbers; only gradient boosting can use them.", hint="Fill numbers another way in Prepare features."
        )
    step.log(f"{len(y):,} rows, {len(columns)} columns, {job.x.shape[1]} features; {aim.task} of “{name}”.")
    return job


AUTOMATIC: dict[str, dict[str, Any]] = {
    "linear": {"fill": "median", "scale": "standard", "encode": "one-hot"},
    "trees": {"fill": "median", "scale": "none", "encode": "one-hot"},
    "boosting": {"fill": "keep", "scale": "none", "encode": "one-hot"},
}


def parity_sample(job: Job, rows: int = PARITY_ROWS) -> dict[str, Any]:
    """Raw rows to check the published model with: some of the training part, and the same with gaps and words never seen."""
    import numpy as np

    total = len(job.y)
    picked = np.unique(np.linspace(0, total - 1, min(rows, total)).astype(int))
    sample = {n: v[picked].copy() for n, v in job.rows.items()}
    odd = {n: v[picked[: max(1, len(picked) // 8)]].copy() for n, v in job.rows.items()}
    for i, values in enumerate(odd.values()):
        if values.dtype == object:
            values[i % 2 :: 2] = ["", "a word never seen before"][i % 2]
        else:
            values[i % 3 :: 3] = np.nan
    return {n: np.concatenate([sample[n], odd[n]]) for n in sample}


def publish(
    job: Job,
    *,
    name: str,
    framework: str,
    method: str,
    parameters: dict[str, Any],
    answer: Callable[[Any], Any],
    write: Callable[[Graph, str], None],
    limits: str = "",
) -> tuple[Model, Metrics]:
    """Write the model and its training metrics. `answer` is the original estimator: features to probabilities or values;
    `write` puts it into the graph, after the recipe."""
    step = context.current()
    step.progress(0.9, "Publishing as ONNX")
    graph = Graph(name)
    write(graph, recipes.write(job.recipe, graph))
    measured = {f"training_{k}": v for k, v in simple_metrics(job.target, job.y, answer(job.x)).items()}
    if job.x_validation is not None:
        measured |= {f"validation_{k}": v for k, v in simple_metrics(job.target, job.y_validation, answer(job.x_validation)).items()}
    rows = parity_sample(job)
    told = {
        "method": method,
        "data": "\n".join(f"- Not used: {c['name']} ({c['why']})." for c in job.recipe["left_out"]),
        "limits": limits,
    }
    model = write_model(
        graph.model().SerializeToString(),
        name=name,
        task=job.target.task,
        framework=framework,
        target=job.target.name,
        labels=job.target.labels,
        positive=job.target.positive,
        input_={"kind": "row", "columns": recipes.input_columns(job.recipe)},
        training={
            "parameters": {"target": job.target.name, **parameters},
            "rows": len(job.y),
            "dataset_versions": job.dataset_versions,
            "method": method,
        },
        metrics=measured,
        parity_inputs=onnx_inputs(rows),
        texts=recipes.readers(job.recipe),
        parity_answers=answer(recipes.apply(job.recipe, rows)),
        card=told,
    )
    parity = model.metadata["parity"]
    step.log(f"ONNX answers within {parity['largest_difference']:.1e} of the original on {parity['rows']} rows.")
    step.progress(1.0, "Done")
    values = {k: {"value": v} for k, v in measured.items()}
    return model, Metrics.of(
        {"task": job.target.task, "values": values, "model": {"name": name, "fingerprint": model.metadata["fingerprint"]}}
    )


def simple_metrics(target: Target, y: Any, answered: Any) -> dict[str, float]:
    """A few numbers to watch while training; an evaluation step gives the real ones."""
    import numpy as np

    if target.task == "regression":
        error = answered.reshape(-1).astype(np.float64) - y
        spread = float(np.square(y - y.mean()).sum())
        found = {"rmse": float(np.sqrt(np.square(error).mean())), "mae": float(np.abs(error).mean())}
        return found | ({"r2": 1 - float(np.square(error).sum()) / spread} if spread > 0 else {})
    chance = np.clip(answered[np.arange(len(y)), y].astype(np.float64), 1e-15, 1)
    return {"accuracy": float((answered.argmax(axis=1) == y).mean()), "log_loss": float(-np.log(chance).mean())}
