"""The floor of serving: uvicorn, JSON, ONNX Runtime, nothing else. `python -m tests.bench.bare MODEL tabular|image PORT`."""

from __future__ import annotations

import base64
import io
import json
import sys
from typing import Any

import numpy as np
import onnxruntime as ort
import uvicorn


def main() -> None:
    path, kind, port = sys.argv[1:]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options)

    def answer(body: bytes) -> list[Any]:
        rows = json.loads(body)["instances"]
        if kind == "tabular":
            feeds = {name: np.array([[row[name]] for row in rows], dtype=np.float32) for name in ("length", "width")}
        else:
            from PIL import Image

            pictures = [Image.open(io.BytesIO(base64.b64decode(row["image"]))).convert("L").resize((8, 8)) for row in rows]
            feeds = {"image": np.stack([np.asarray(p)[:, :, None] for p in pictures])}
        return session.run(["probabilities"], feeds)[0].tolist()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        data = json.dumps({"predictions": answer(body)}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(data))]})
        await send({"type": "http.response.body", "body": data})

    uvicorn.run(app, port=int(port), http="httptools", loop="uvloop", lifespan="off", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
