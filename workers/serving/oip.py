"""The Open Inference Protocol v2 (KServe): tensors as JSON, translated to and from a model's columns.

Source: the "Open Inference Protocol" REST specification of the KServe project. The binary tensor extension is not offered.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from workers.sdk.boxes import MOST, WIDTH
from workers.serving.model import NUMERIC, Columns, InputRefused, LoadedModel

SERVER = {"name": "headrace", "version": "1", "extensions": []}
NUMBERS = {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"}


def metadata(name: str, model: LoadedModel, served: list[LoadedModel]) -> dict[str, Any]:
    """`-1` stands for the batch. A detector's `boxes` are left, top, right, bottom (0 to 1), score and number of the label, the highest
    score first; a row with score 0 is none."""
    if model.is_image:
        size = [-1, model.input["height"], model.input["width"], model.input["channels"]]
        inputs = [{"name": model.input["onnx_input"], "datatype": "UINT8", "shape": size}]
    else:
        inputs = [{"name": c["name"], "datatype": "FP32" if c["type"] in NUMERIC else "BYTES", "shape": [-1, 1]} for c in model.columns]
    outputs: list[dict[str, Any]] = [{"name": "value", "datatype": "FP32", "shape": [-1]}]
    if model.finds_boxes:
        outputs = [{"name": "boxes", "datatype": "FP32", "shape": [-1, MOST, WIDTH]}]
    elif model.tokens is not None:
        outputs = [{"name": "spans", "datatype": "BYTES", "shape": [-1]}, {"name": "score", "datatype": "FP32", "shape": [-1]}]
    elif model.labels:
        outputs = [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(model.labels)]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
        ]
    return {
        "name": name,
        "versions": [m.label.rpartition("@")[2] for m in served],
        "platform": "onnxruntime_onnx",
        "inputs": inputs,
        "outputs": outputs,
    }


def _flat(data: Any) -> list[Any]:
    if not isinstance(data, list):
        return [data]
    return [leaf for part in data for leaf in _flat(part)] if any(isinstance(part, list) for part in data) else data


def columns(model: LoadedModel, request: dict[str, Any]) -> tuple[Columns, int]:
    """The request's tensors as checked columns; raises InputRefused naming the tensor."""
    tensors = request.get("inputs")
    if not isinstance(tensors, list) or not all(isinstance(t, dict) and isinstance(t.get("name"), str) for t in tensors) or not tensors:
        raise InputRefused(
            [{"field": "inputs", "message": "is missing or not a list of tensors", "expected": '[{"name", "shape", "datatype", "data"}]'}]
        )
    by_name = {t["name"]: t for t in tensors}
    if model.is_image:
        return _pictures(model, by_name)
    unknown = by_name.keys() - {c["name"] for c in model.columns}
    if unknown:
        raise InputRefused(
            [
                {
                    "field": f"inputs.{sorted(unknown)[0]}",
                    "message": "is not an input of this model",
                    "expected": ", ".join(c["name"] for c in model.columns),
                }
            ]
        )
    rows = {len(_flat(t.get("data"))) for t in tensors}
    if len(rows) != 1:
        raise InputRefused(
            [
                {
                    "field": "inputs",
                    "message": f"tensors have different lengths ({', '.join(map(str, sorted(rows)))})",
                    "expected": "the same number of rows in each",
                }
            ]
        )
    count = rows.pop()
    for tensor in tensors:
        shape = tensor.get("shape")
        if not isinstance(shape, list) or not all(isinstance(s, int) for s in shape) or math.prod(shape) != count:
            raise InputRefused(
                [
                    {
                        "field": f"inputs.{tensor['name']}.shape",
                        "message": f"is {shape}, but there are {count} values",
                        "expected": f"[{count}] or [{count}, 1]",
                    }
                ]
            )
    flat = {name: _flat(t["data"]) for name, t in by_name.items()}
    return model.check([{name: values[i] for name, values in flat.items()} for i in range(count)])


def _pictures(model: LoadedModel, by_name: dict[str, dict[str, Any]]) -> tuple[Columns, int]:
    name = model.input["onnx_input"]
    tensor = by_name.get(name)
    size = (model.input["height"], model.input["width"], model.input["channels"])
    expected = f"UINT8 [n, {size[0]}, {size[1]}, {size[2]}]"
    if tensor is None:
        raise InputRefused([{"field": f"inputs.{name}", "message": "is missing", "expected": expected}])
    try:
        values = np.array(_flat(tensor.get("data")))
        if values.dtype.kind not in "iu" or values.min(initial=0) < 0 or values.max(initial=0) > 255:
            raise ValueError
        pictures = values.astype(np.uint8).reshape(-1, *size)
    except (ValueError, TypeError):
        raise InputRefused(
            [{"field": f"inputs.{name}.data", "message": "does not have that shape, or values outside 0…255", "expected": expected}]
        ) from None
    if not 1 <= len(pictures) <= 1000:
        raise InputRefused([{"field": f"inputs.{name}.shape", "message": f"holds {len(pictures)} images", "expected": "1 to 1000"}])
    return [list(pictures)], len(pictures)


def as_rows(model: LoadedModel, checked: Columns) -> list[dict[str, Any]]:
    """Columns back as rows, for the log; NaN as None."""
    names = [c["name"] for c in model.columns]
    clean = [[None if isinstance(v, float) and math.isnan(v) else v for v in values] for values in checked]
    return [dict(zip(names, row, strict=True)) for row in zip(*clean, strict=True)]


def response(name: str, model: LoadedModel, request: dict[str, Any], raw: Any, request_id: str) -> dict[str, Any]:
    n = len(raw)
    outputs: list[dict[str, Any]]
    if model.finds_boxes:
        outputs = [{"name": "boxes", "datatype": "FP32", "shape": list(raw.shape), "data": raw.reshape(-1).tolist()}]
    elif model.tokens is not None:
        outputs = [
            {"name": "spans", "datatype": "BYTES", "shape": [n], "data": [json.dumps(one["spans"], ensure_ascii=False) for one in raw]},
            {"name": "score", "datatype": "FP32", "shape": [n], "data": [one["score"] for one in raw]},
        ]
    elif not model.labels:
        outputs = [{"name": "value", "datatype": "FP32", "shape": [n], "data": raw.tolist()}]
    else:
        best = [model.labels[i] for i in raw.argmax(axis=1).tolist()]
        outputs = [
            {"name": "probabilities", "datatype": "FP32", "shape": [n, len(model.labels)], "data": raw.reshape(-1).tolist()},
            {"name": "label", "datatype": "BYTES", "shape": [n], "data": best},
        ]
    wanted = [o.get("name") for o in request.get("outputs") or [] if isinstance(o, dict)]
    if wanted:
        outputs = [o for o in outputs if o["name"] in wanted]
    version = model.label.rpartition("@")[2]
    return {"model_name": name, "model_version": version, "id": str(request.get("id") or request_id), "outputs": outputs}
