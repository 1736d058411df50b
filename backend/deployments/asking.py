"""Many questions to one model, for suggestions and for measuring it: through an endpoint, or of a registered model that is not deployed.

    with asking(job.endpoint or job.model_version, user) as asked:
        told, refused = asked([{"image": digest}, …])

An answer is what the predictor says, `{label, probabilities}`; None for what the model cannot answer. A registered model is loaded by a
process of its own (`workers.serving.ask`), which ends with the block.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from backend.artifacts.aside import HIDDEN
from backend.artifacts.storage import store
from backend.core.models import User
from backend.deployments import passing
from backend.deployments.errors import ModelNotAsked, PredictionRefused
from backend.deployments.models import Endpoint
from backend.registry.models import ModelVersion

Json = dict[str, Any]
IMAGES, ROWS, TEXTS = 16, 500, 50
"""Instances asked about at once: a request with sixteen pictures, or rows with long texts, stays below the predictor's bound."""
Ask = Callable[[list[Json]], tuple[list[Json | None], str]]
"""Instances, to answers in their order and the model version that gave them."""


def name_of(version: ModelVersion) -> str:
    """As suggestions and people call it."""
    return f"{version.model.slug}@{version.number}"


@contextmanager
def asking(whom: Endpoint | ModelVersion, user: User) -> Iterator[Ask]:
    """Raises PredictorAway, PredictionRefused or ModelNotAsked when asked."""
    if isinstance(whom, Endpoint):
        yield lambda instances: through(whom, user, instances)
        return
    process = begin(whom)
    try:
        yield lambda instances: (told(process, whom, instances), name_of(whom))
    finally:
        process.kill()
        process.communicate()


def begin(version: ModelVersion) -> subprocess.Popen[str]:
    """The process that answers for a registered model; it ends when its input does."""
    places = {"ARTIFACT_URL": str(settings.ARTIFACT_URL), "HEADRACE_DATA_DIR": str(settings.DATA_DIR)}
    environment = {k: v for k, v in os.environ.items() if k not in HIDDEN} | places
    return subprocess.Popen(
        [sys.executable, "-m", "workers.serving.ask", version.artifact.digest], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment, cwd=settings.ROOT, text=True,
    )  # fmt: skip


def told(process: subprocess.Popen[str], version: ModelVersion, instances: list[Json]) -> list[Json | None]:
    """What such a process answers; raises ModelNotAsked when it has ended."""
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(json.dumps({"instances": instances}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = ""
    if not line:
        raise ModelNotAsked(model=name_of(version), hint="The studio's log says why.")
    found: list[Json | None] = json.loads(line)["answers"]
    return found


def through(endpoint: Endpoint, user: User, instances: list[Json]) -> tuple[list[Json | None], str]:
    """Leaves out what the predictor names as bad, and asks again about the rest."""
    places = list(range(len(instances)))
    found: list[Json | None] = [None] * len(instances)
    while places:
        body = json.dumps({"instances": [_sent(instances[n]) for n in places]}).encode()
        try:
            response = passing.predict(endpoint, user, body)
        except PredictionRefused as error:
            named = {int(n) for p in error.problems for n in re.findall(r"^instances\.(\d+)\.", p.get("field") or "")}
            bad = {n for n in named if n < len(places)}
            if not bad:
                raise
            places = [place for n, place in enumerate(places) if n not in bad]
            continue
        for place, answer in zip(places, json.loads(response.content)["predictions"], strict=True):
            found[place] = answer
        return found, response.get(passing.LABEL, "")
    return found, ""


def _sent(instance: Json) -> Json:
    """A picture with its bytes in the place of their digest."""
    if set(instance) == {"image"} and isinstance(instance["image"], str) and re.fullmatch(r"[0-9a-f]{64}", instance["image"]):
        return {"image": base64.b64encode(store().read(instance["image"])).decode()}
    return instance
