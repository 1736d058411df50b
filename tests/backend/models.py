"""A trained model as an artifact of a project: what the registry and the endpoints start from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.artifacts.actions import create_artifact
from backend.artifacts.models import Artifact
from backend.artifacts.storage import store
from backend.core.models import Project
from tests.workers.serving.models import flower_model

PARITY = {"largest_difference": 2e-7, "rows": 256, "tolerance": 1e-4}


def flowers(project: Project, folder: Path, *, offset: float = 0.0, **manifest: Any) -> Artifact:
    """Logistic regression on iris. Another `offset` is another model; `manifest` changes what the model says of itself."""
    flower_model(folder, offset=offset)
    file = folder / "manifest.json"
    told = json.loads(file.read_text()) | {"onnx": {"inputs": [], "outputs": []}, "parity": PARITY, "training": {"parameters": {"C": 1}}}
    file.write_text(json.dumps(told | manifest))
    return create_artifact(project, "Model", store().put_folder(folder))
