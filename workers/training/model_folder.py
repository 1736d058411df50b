"""The Model folder: what is written when a model is trained, and the check that its ONNX answers as the original did.

manifest.json   what it takes and answers     model.onnx   preprocessing and model in one
parity.json     the check, with parity_rows (or parity_images) and parity_answers
card.md         the model card                  texts.safetensors   what was learned of its text columns, if it has any
spans.safetensors   what it knows of words, if it finds spans in texts
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workers.sdk import context, spans
from workers.sdk import texts as reading
from workers.sdk.errors import StepError
from workers.sdk.kinds import Model, fresh

FORMAT, FORMAT_WITH_TEXTS = Model.formats[:2]
FORMATS = {"detection": "headrace-model/3", "spans": "headrace-model/4"}
"""By task, of what no older predictor reads."""
TOLERANCE = 1e-4
PARITY_ROWS = 256
_ONNX_TYPES = {1: "float32", 2: "uint8", 7: "int64", 8: "string", 11: "float64"}


def session(model: bytes | Path, threads: int = 1) -> Any:
    """An ONNX Runtime session on the processor."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return ort.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"])


def answers(running: Any, manifest: Mapping[str, Any], inputs: Mapping[str, Any], texts: Mapping[str, reading.Reader]) -> Any:
    """The model's answers: float32 `[rows, labels]` probabilities, `[rows, 1]` values, or of a detector `[rows, places × (4 + labels)]`.
    Text columns are read by `texts`."""
    name = manifest["output"].get("probability_output") or manifest["output"]["output"]
    read = {n: texts[n](v.reshape(-1)) if n in texts else v for n, v in inputs.items()}
    return running.run([name], read)[0].reshape(len(next(iter(inputs.values()))), -1)


def difference(task: str, original: Any, published: Any) -> float:
    """The largest difference of two sets of answers. Of probabilities as they are; of values in units of their own size
    (the larger of 1, the value and the spread of all), because single precision carries seven digits, not seven decimals."""
    import numpy as np

    original, published = np.asarray(original, dtype=np.float64), np.asarray(published, dtype=np.float64)
    if original.shape != published.shape:
        raise StepError(f"The published model answers in the shape {published.shape}, the original in {original.shape}.")
    apart = np.abs(original - published)
    if task == "regression":
        apart = apart / np.maximum(np.maximum(1.0, np.abs(original)), original.std())
    return float(apart.max(initial=0.0)) if np.isfinite(apart).all() else float("inf")


def write_model(
    onnx: bytes,
    *,
    name: str,
    task: str,
    framework: str,
    target: str,
    labels: list[str],
    positive: str,
    input_: Mapping[str, Any],
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
    parity_inputs: Mapping[str, Any],
    parity_answers: Any,
    card: Mapping[str, str],
    texts: Mapping[str, reading.Reader] = {},
    tokens: spans.Reader | None = None,
    output: Mapping[str, Any] | None = None,
) -> Model:
    """Write the folder. `parity_inputs` are raw inputs as ONNX takes them, `parity_answers` what the original model says to them.
    `output` says what it answers, where that is neither a class nor a value."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors.numpy import save_file

    folder = fresh("")
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(onnx)
    running = session(onnx)
    output = (
        dict(output)
        if output is not None
        else (
            {"kind": "classification", "labels": labels, "probability_output": "probabilities"}
            if task == "classification"
            else {"kind": "regression", "output": "value"}
        )
    )
    manifest: dict[str, Any] = {
        "format": FORMATS.get(task, FORMAT_WITH_TEXTS if texts else FORMAT),
        "task": task,
        "framework": framework,
        "name": name,
        "input": dict(input_),
        "output": output,
        "onnx": {
            "inputs": [{"name": i.name, "dtype": _dtype(i.type), "shape": list(i.shape)} for i in running.get_inputs()],
            "outputs": [{"name": o.name, "dtype": _dtype(o.type), "shape": list(o.shape)} for o in running.get_outputs()],
        },
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "target": target,
        "metrics": dict(metrics),
        "training": {**training, "titles": _titles(training.get("parameters", {}))},
        "fingerprint": hashlib.sha256(onnx).hexdigest(),
    }
    if positive:
        manifest["positive_label"] = positive
    count = len(next(iter(parity_inputs.values())))
    largest = difference(task, parity_answers, answers(running, manifest, parity_inputs, texts))
    if texts:
        reading.keep(texts, manifest, folder)
    if tokens is not None:
        spans.keep(tokens, folder)
    manifest["parity"] = {"largest_difference": largest, "rows": count, "tolerance": TOLERANCE}
    where = {"answers": "parity_answers.safetensors", "tolerance": TOLERANCE, "rows": count, "largest_difference": largest}
    if input_["kind"] == "row" and tokens is None:
        where["inputs"] = "parity_rows.parquet"
        pq.write_table(pa.table({k: pa.array(v.reshape(-1)) for k, v in parity_inputs.items()}), folder / "parity_rows.parquet")
    else:
        where["inputs"] = "parity_images.safetensors"
        save_file({k: np.ascontiguousarray(v) for k, v in parity_inputs.items()}, folder / "parity_images.safetensors")
    save_file({"answers": np.ascontiguousarray(parity_answers, dtype=np.float32)}, folder / "parity_answers.safetensors")
    (folder / "parity.json").write_text(json.dumps(where, indent=1), encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    (folder / "card.md").write_text(_card(manifest, card), encoding="utf-8")
    return Model(
        path=folder,
        metadata={k: manifest[k] for k in ("name", "task", "framework", "target", "fingerprint")} | {"parity": manifest["parity"]},
    )


def check_parity(model: Model) -> dict[str, Any]:
    """Ask the published model again and compare with the original's answers: `{largest_difference, rows, tolerance}`."""
    import pyarrow.parquet as pq
    from safetensors.numpy import load_file

    folder, manifest = model.file(), model.manifest()
    where = json.loads((folder / "parity.json").read_text(encoding="utf-8"))
    original = load_file(folder / where["answers"])["answers"]
    texts = reading.kept(manifest, folder)
    if where["inputs"].endswith(".parquet"):
        table = pq.read_table(folder / where["inputs"])
        inputs = {
            n: table[n].to_numpy().astype(object if column["dtype"] == "string" or n in texts else column["dtype"]).reshape(-1, 1)
            for n, column in ((c["name"], c) for c in manifest["onnx"]["inputs"])
        }
    else:
        inputs = load_file(folder / where["inputs"])
    largest = difference(manifest["task"], original, answers(session(folder / "model.onnx"), manifest, inputs, texts))
    return {"largest_difference": largest, "rows": len(original), "tolerance": TOLERANCE}


def _dtype(onnx_type: str) -> str:
    return {
        "tensor(float)": "float32",
        "tensor(double)": "float64",
        "tensor(string)": "string",
        "tensor(uint8)": "uint8",
        "tensor(int64)": "int64",
    }[onnx_type]


def _card(manifest: Mapping[str, Any], told: Mapping[str, str]) -> str:
    """The model card: what is known is written, what only people know is left for them to fill in."""
    training, output = manifest["training"], manifest["output"]
    lines = [f"# {manifest['name']}", ""]
    lines += [
        f"Predicts **{manifest['target']}** ({manifest['task']}) with {told.get('method', manifest['framework'])}. "
        f"Trained {manifest['trained_at'][:10]}.",
        "",
    ]
    lines += ["## Intended use", "", "_Who should use this model, for what, and for what not? Fill in before it is used in earnest._", ""]
    lines += ["## Data", "", f"- Learned from {training.get('rows', 0):,} {'images' if manifest['input']['kind'] == 'image' else 'rows'}."]
    if training.get("dataset_versions"):
        lines.append("- Data set versions: " + ", ".join(training["dataset_versions"]) + ".")
    if told.get("data"):
        lines.append(told["data"])
    if output["kind"] in ("classification", "detection"):
        lines.append("- Classes: " + ", ".join(output["labels"][:50]) + (" …" if len(output["labels"]) > 50 else "") + ".")
    lines += ["", "## Input", ""]
    if manifest["input"]["kind"] == "row":
        lines += ["| column | type | needed |", "|---|---|---|"]
        lines += [f"| {c['name']} | {c['type']} | {'yes' if c['required'] else 'may be missing'} |" for c in manifest["input"]["columns"]]
        if cut := next((c["most_characters"] for c in manifest["input"]["columns"] if "most_characters" in c), None):
            lines += ["", f"Texts are read as they are written, in any language, up to their first {cut:,} characters."]
    else:
        i = manifest["input"]
        lines.append(f"An image, brought to {i['width']} × {i['height']} pixels, {'grey' if i['channels'] == 1 else 'RGB'}.")
    lines += ["", "## Parameters", "", "| parameter | value |", "|---|---|"]
    lines += [f"| {training['titles'][k]} | {_short(v)} |" for k, v in training.get("parameters", {}).items()]
    if manifest["metrics"]:
        lines += ["", "## Metrics while training", "", "| metric | value |", "|---|---|"]
        lines += [f"| {k.replace('_', ' ')} | {v:.4g} |" for k, v in manifest["metrics"].items()]
    parity = manifest["parity"]
    lines += [
        "",
        "## Checks",
        "",
        f"The published model was asked {parity['rows']} {'pieces of text' if output['kind'] == 'spans' else 'rows'} that the original "
        "model had answered: "
        f"the largest difference is {parity['largest_difference']:.1e}.",
    ]
    lines += [
        "",
        "## Limits",
        "",
        "- It knows only what its training data show; on rows unlike them its answers may be wrong and still look sure.",
    ]
    if told.get("limits"):
        lines.append(told["limits"])
    lines += ["- Numbers measured on the training part are too good; judge it by an evaluation on rows it has not seen.", ""]
    return "\n".join(lines)


def _titles(parameters: Mapping[str, Any]) -> dict[str, str]:
    """What the step's form calls them; what the form does not have (a result, like the best epoch) in the same manner."""
    step = context.active()
    known = step.titles if step is not None else {}
    return {name: known.get(name) or name.replace("_", " ").capitalize() for name in parameters}


def _short(value: Any) -> str:
    text = "–" if value in ("", None, []) else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return (text if len(text) < 100 else text[:97] + "…").replace("|", "\\|").replace("\n", " ")
