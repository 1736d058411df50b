"""What a registered image model of the project sees: the tensor that enters its last layer, given out beside its answer.

The ONNX graph that the model was published as gets one more output: the input of the last matrix product on the way to its output.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.embedding.errors import CannotEmbed
from workers.embedding.pictures import opened
from workers.embedding.shape import Floats, Input, principal, unit
from workers.sdk.embedders import EMBEDDERS
from workers.sdk.store import Store

MOST = 512
"""Features beyond this are reduced to their principal components."""


class Embedding:
    def __init__(self, store: Store, parameters: dict[str, Any]) -> None:
        self._store, self._digest = store, str(parameters["digest"])
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.told: dict[str, Any] = {}
        self._session: Any = None

    def fit(self, inputs: list[Input]) -> None:
        features = [row for row in self._features([one["image"] for one in inputs[:2000]]) if row is not None]
        if len(features) < 2:
            raise CannotEmbed("At least two pictures that can be read are needed.")
        rows = np.stack(features)
        mean = rows.mean(axis=0)
        components = principal(rows)[1] if rows.shape[1] > MOST else np.eye(rows.shape[1], dtype=np.float32)
        self.arrays["mean"], self.arrays["components"] = mean.astype(np.float32), components

    def embed(self, inputs: list[Input]) -> list[Floats | None]:
        found = self._features([one["image"] for one in inputs])
        placed = [(row - self.arrays["mean"]) @ self.arrays["components"].T if row is not None else None for row in found]
        return [unit(row[None])[0] if row is not None else None for row in placed]

    def query(self, text: str) -> Floats:
        raise CannotEmbed(EMBEDDERS["picture_model"].why_no_text)

    def _features(self, digests: list[str]) -> list[npt.NDArray[np.float32] | None]:
        session, name, height, width, channels = self._opened()
        found: list[npt.NDArray[np.float32] | None] = []
        for digest in digests:  # one at a time: a published model may have been exported for any batch, or for one
            image = opened(self._store, digest)
            if image is None:
                found.append(None)
                continue
            small = image.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
            pixels = np.asarray(small, dtype=np.uint8).reshape(1, height, width, channels)
            (features,) = session.run(["headrace:features"], {name: pixels})
            found.append(np.asarray(features, dtype=np.float32).reshape(-1))
        return found

    def _opened(self) -> tuple[Any, str, int, int, int]:
        if self._session is None:
            import json

            import onnx
            import onnxruntime

            folder = self._store.fetch_folder(self._digest)
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            graph = onnx.load(str(folder / "model.onnx"))
            tensor = last_input(graph.graph)
            graph.graph.node.append(onnx.helper.make_node("Identity", [tensor], ["headrace:features"]))
            graph.graph.output.append(onnx.ValueInfoProto(name="headrace:features"))
            asked = manifest["input"]
            session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
            name = session.get_inputs()[0].name
            self._session = (session, name, int(asked["height"]), int(asked["width"]), int(asked.get("channels", 3)))
        found: tuple[Any, str, int, int, int] = self._session
        return found


def last_input(graph: Any) -> str:
    """The tensor that enters the last matrix product before the graph's output; raises CannotEmbed where there is none."""
    made = {output: node for node in graph.node for output in node.output}
    constants = {tensor.name for tensor in graph.initializer}
    tensor = graph.output[0].name
    while tensor in made:
        node = made[tensor]
        before = [name for name in node.input if name and name not in constants]
        if node.op_type in ("Gemm", "MatMul") and before:
            return str(before[0])
        if not before:
            break
        tensor = before[0]
    raise CannotEmbed("This model has no last layer that its features could be taken from.")
