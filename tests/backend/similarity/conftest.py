"""The labelling tests' project, with scanned digits (sklearn's, which come with it) as pictures."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from backend.similarity.actions.computing import compute
from backend.similarity.models import Space
from tests.backend.datasets.conftest import zipped
from tests.backend.labeling.conftest import Labs, _store, ann, bob, labs, project, rita
from tests.backend.people import Person

__all__ = ["_store", "ann", "bob", "labs", "project", "rita"]
DIGITS = (
    '<View><Image name="image" value="$image"/><Choices name="kind" toName="image" required="true">'
    + "".join(f'<Choice value="{n}"/>' for n in range(10))
    + "</Choices></View>"
)


@lru_cache(maxsize=1)
def scanned() -> tuple[Any, Any]:
    bundle = load_digits()
    return bundle.images, bundle.target


def digit(n: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray((scanned()[0][n] * 15.9).astype(np.uint8)).resize((32, 32)).save(file, "PNG")
    return file.getvalue()


def truth(key: str) -> str:
    """What a picture is, by its name."""
    return str(scanned()[1][int(key.rpartition("/")[2].removesuffix(".png"))])


def digits(labs: Labs, count: int, **more: bytes) -> str:
    """A frozen data set of `count` digits; its slug."""
    files = {f"{n:04}.png": digit(n) for n in range(count)} | {f"{name}.png": data for name, data in more.items()}
    found: str = labs.upload.ready(zipped(files), "digits.zip", options={"freeze": True}, name="Digits")["dataset"]
    return found


def embedded(who: Person, dataset: str, **asked: Any) -> dict[str, Any]:
    """The space, computed."""
    made = who.post(f"/datasets/{dataset}/spaces", {"embedder": "picture_shapes", **asked}, 202)
    compute(Space.objects.get(pk=made["id"]).pk)
    told: dict[str, Any] = who.get(f"/datasets/{dataset}/spaces/{made['id']}")
    assert told["status"] == "ready", told["message"]
    return told
