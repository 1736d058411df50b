"""Scanned digits with labels, one of them wrong, for the test and the pictures of what lies near what."""

from __future__ import annotations

import io
import tempfile
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from workers.sdk.client import Client

DIGITS, LABELLED = 240, 60
XML = (
    '<View><Image name="image" value="$image"/><Choices name="digit" toName="image" required="true">'
    + "".join(f'<Choice value="{n}"/>' for n in range(10))
    + "</Choices></View>"
)
NAME, SLUG = "Which digit", "which-digit"


def pictures(path: Path) -> Path:
    bundle = load_digits()
    with zipfile.ZipFile(path, "w") as out:
        for n in range(DIGITS):
            file = io.BytesIO()
            Image.fromarray((bundle.images[n] * 15.9).astype(np.uint8)).resize((32, 32)).save(file, "PNG")
            out.writestr(f"{n:04}.png", file.getvalue())
    return path


def right(key: str) -> str:
    return str(load_digits().target[int(key.removesuffix(".png"))])


def asked(client: Client) -> str:
    """A label schema about digits; its data set is `scanned-digits`."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = bring(client, pictures(Path(folder) / "digits.zip"), "Scanned digits")
    made = {"name": NAME, "dataset": dataset, "xml": XML, "review_share": 0.0, "blind": False}
    slug: str = client.request("POST", f"/projects/{client.project}/label-schemas", json=made)["slug"]
    filled(client, slug)
    return slug


def labelled(client: Client, slug: str) -> str:
    """The first ones as they are, but for one; its name."""
    base, wrong = f"/projects/{client.project}/label-schemas/{slug}", ""
    for n in range(LABELLED):
        item = client.request("POST", f"{base}/next", json={})["item"]
        said = right(item["key"])
        if n == LABELLED // 2:
            wrong, said = item["key"], str((int(said) + 5) % 10)
        region: dict[str, Any] = {"id": "a", "from_name": "digit", "to_name": "image", "type": "choices", "value": {"choices": [said]}}
        body = {"id": str(uuid.uuid4()), "schema_version": 1, "result": [region], "seconds": 2.0}
        client.request("POST", f"{base}/items/{item['id']}/submit", json=body)
    return wrong


def furnish_digits(client: Client) -> str:
    """Labelled, embedded and looked through for errors, once; the slug of the label schema."""
    there = [schema["slug"] for schema in client.request("GET", f"/projects/{client.project}/label-schemas")]
    if SLUG not in there:
        labelled(client, asked(client))
        client.compute_space("scanned-digits", "picture_shapes")
        client.look_for_doubts(SLUG)
    return SLUG
