"""Small real models in the folder format that the predictor reads, made by scikit-learn and onnx."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def flower_model(folder: Path, *, offset: float = 0.0) -> Path:
    """Logistic regression on iris: two of its columns, and a text column that the graph takes and the answer does not need."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    iris = load_iris(as_frame=True)
    frame = iris.data[["petal length (cm)", "petal width (cm)"]].astype(np.float32) + np.float32(offset)
    frame.columns = ["length", "width"]
    pipeline = make_pipeline(ColumnTransformer([("all", "passthrough", ["length", "width"])]), LogisticRegression(max_iter=500))
    pipeline.fit(frame, iris.target)
    graph = convert_sklearn(
        pipeline,
        initial_types=[("length", FloatTensorType([None, 1])), ("width", FloatTensorType([None, 1]))],
        options={id(pipeline): {"zipmap": False}},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph.SerializeToString())
    manifest = {
        "format": "headrace-model/1", "task": "classification", "framework": "scikit-learn", "name": "flowers",
        "input": {"kind": "row", "columns": [
            {"name": "length", "type": "number", "required": True, "example": 1.4},
            {"name": "width", "type": "number", "required": True, "example": 0.2},
            {"name": "note", "type": "text", "required": False},
        ]},
        "output": {"kind": "classification", "labels": ["setosa", "versicolor", "virginica"], "probability_output": "probabilities"},
        "onnx": {"inputs": [], "outputs": []},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "card.md").write_text("# flowers\n")
    return folder


def brightness_model(folder: Path) -> Path:
    """An image model: probability of “bright” is the mean of the pixels, of 8 × 8 grey images."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),
        helper.make_node("Div", ["mean", "top"], ["bright"]),
        helper.make_node("Sub", ["one", "bright"], ["dark"]),
        helper.make_node("Unsqueeze", ["dark", "last"], ["d"]),
        helper.make_node("Unsqueeze", ["bright", "last"], ["b"]),
        helper.make_node("Concat", ["d", "b"], ["probabilities"], axis=1),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("top", TensorProto.FLOAT, [], [255.0]),
        helper.make_tensor("one", TensorProto.FLOAT, [], [1.0]),
        helper.make_tensor("last", TensorProto.INT64, [1], [1]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 8, 8, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    manifest = {
        "format": "headrace-model/1", "task": "classification", "framework": "onnx", "name": "brightness",
        "input": {"kind": "image", "onnx_input": "image", "dtype": "uint8", "layout": "NHWC", "resize": "exact",
                  "height": 8, "width": 8, "channels": 1},
        "output": {"kind": "classification", "labels": ["dark", "bright"], "probability_output": "probabilities"},
        "onnx": {"inputs": [], "outputs": []},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "card.md").write_text("# brightness\n")
    return folder
