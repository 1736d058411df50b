"""Serving: requests a second of a tabular and an image model with 1, 16 and 64 clients.

The floor is the least that can answer at all: the same uvicorn, an ASGI function that parses the JSON, calls ONNX Runtime and writes JSON,
without checking, batching, tokens, routing or log.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.bench.main import Row
from tests.bench.setup import PREDICTOR, account

SECONDS = 3.0
CLIENTS = (1, 16, 64)


def deploy(folder: Path, name: str) -> None:
    from django.conf import settings

    from backend.artifacts.models import Artifact
    from backend.core.models import Project
    from backend.deployments.models import Deployment, Endpoint, TrafficSplit
    from backend.registry.models import Model, ModelVersion
    from workers.sdk.store import Store

    project = Project.objects.get(slug="bench")
    stored = Store(settings.ARTIFACT_URL).put_folder(folder)
    artifact, _ = Artifact.objects.get_or_create(project=project, kind="Model", digest=stored.digest, defaults={"size": stored.size})
    model, _ = Model.objects.get_or_create(project=project, slug=name, defaults={"name": name})
    manifest = json.loads((folder / "manifest.json").read_text())
    version = ModelVersion.objects.create(model=model, number=model.versions.count() + 1, artifact=artifact, manifest=manifest)
    endpoint, _ = Endpoint.objects.get_or_create(project=project, slug=name, defaults={"name": name})
    deployment = Deployment.objects.create(endpoint=endpoint, model_version=version)
    endpoint.split = TrafficSplit.objects.create(endpoint=endpoint, weights=[{"deployment": str(deployment.id), "weight": 100}])
    endpoint.save()
    for _ in range(100):
        deployment.refresh_from_db()
        if deployment.status == "live":
            return
        time.sleep(0.1)
    raise RuntimeError(f"{name} is {deployment.status}: {deployment.message}")


def measure(url: str, body: bytes, headers: dict[str, str], clients: int) -> dict[str, Any]:
    job = {"url": url, "body": body.decode("latin-1"), "headers": headers, "clients": clients, "seconds": SECONDS}
    done = subprocess.run([sys.executable, "-m", "tests.bench.load"], input=json.dumps(job), capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    if answer["wrong"]:
        raise RuntimeError(f"{answer['wrong']} answers were not 200")
    return answer


def main() -> None:
    from PIL import Image

    from tests.workers.serving.models import brightness_model, flower_model

    _, _, token = account()
    with tempfile.TemporaryDirectory() as scratch:
        rows, pictures = flower_model(Path(scratch) / "rows"), brightness_model(Path(scratch) / "images")
        deploy(rows, "bench-rows")
        deploy(pictures, "bench-images")
        buffer = io.BytesIO()
        Image.new("L", (28, 28), 200).save(buffer, "PNG")
        bodies = {
            "bench-rows": json.dumps({"instances": [{"length": 1.4, "width": 0.2}]}).encode(),
            "bench-images": json.dumps({"instances": [{"image": base64.b64encode(buffer.getvalue()).decode()}]}).encode(),
        }
        for name, title in (("bench-rows", "tabular"), ("bench-images", "image")):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            folder = rows if title == "tabular" else pictures
            floor = subprocess.Popen([sys.executable, "-m", "tests.bench.bare", str(folder / "model.onnx"), title, str(port)])
            try:
                bare_url = f"http://127.0.0.1:{port}/"
                for _ in range(100):
                    try:
                        httpx.post(bare_url, content=bodies[name], trust_env=False)
                        break
                    except httpx.TransportError:
                        time.sleep(0.1)
                for clients in CLIENTS:
                    bare = measure(bare_url, bodies[name], {}, clients)
                    ours = measure(f"{PREDICTOR}/v1/bench/{name}/predict", bodies[name], {"Authorization": f"Bearer {token}"}, clients)
                    what = (
                        f"{title}, {clients} client{'s' if clients > 1 else ''} (p50 {ours['p50_ms']:.1f} ms, p99 {ours['p99_ms']:.1f} ms)"
                    )
                    row = Row(
                        part="serving",
                        name=what,
                        ours=ours["rate"],
                        floor=bare["rate"],
                        unit="requests/s",
                        floor_is="bare ASGI + ONNX Runtime",
                    )
                    print(row.line(), flush=True)
            finally:
                floor.terminate()
                floor.wait()


if __name__ == "__main__":
    main()
