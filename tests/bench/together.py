"""A stroke from one page to another's, in a shared draft: two sockets of two people, with pycrdt as their browsers.

The floor is the round trip of the studio's bare socket (`{"ping": 1}` → `{"pong": 1}`) over the same kind of line.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any

import pycrdt
import websockets
from pycrdt import Doc, Map

from tests.bench.setup import URL

STROKES = 300
BETWEEN_S = 0.01


async def _synced(socket: Any) -> Doc[Any]:
    """The document as the studio has it."""
    doc: Doc[Any] = Doc()
    await socket.send(pycrdt.create_sync_message(doc))
    while True:
        data = await socket.recv()
        if data[0] == 0:
            if (reply := pycrdt.handle_sync_message(data[1:], doc)) is not None:
                await socket.send(reply)
            if data[1] == 1:
                return doc


def _box(doc: Doc[Any], n: int) -> bytes:
    """Draw a box; the update that says so."""
    made: list[bytes] = []
    watching = doc.observe(lambda event: made.append(event.update))
    id_ = uuid.uuid4().hex[:12]
    name = {"id": id_, "from_name": "box", "to_name": "image", "type": "rectanglelabels", "labels": ["Head"]}
    place = {"x": float(n % 90), "y": 5.0, "width": 7.5, "height": 7.5, "rotation": 0.0}
    doc.get("regions", type=Map)[id_] = Map({"name": name, "place": place, "order": float(n)})
    doc.unobserve(watching)
    return made[0]


async def _measure(slug: str, item: int, secrets: list[str]) -> tuple[list[float], list[float]]:
    base = URL.replace("http", "ws", 1) + "/ws/v1/projects/bench"
    one, two = ({"Authorization": f"Bearer {secret}"} for secret in secrets[:2])
    where = f"{base}/label-schemas/{slug}/items/{item}"
    strokes, pings = [], []
    async with (
        websockets.connect(where, additional_headers=one) as ours,
        websockets.connect(where, additional_headers=two) as theirs,
        websockets.connect(base, additional_headers=one) as bare,
    ):
        doc, seen = await _synced(ours), await _synced(theirs)
        regions = seen.get("regions", type=Map)
        for n in range(STROKES):
            begun = time.perf_counter()
            await ours.send(pycrdt.create_update_message(_box(doc, n)))
            while len(regions) <= n:
                data = await theirs.recv()
                if data[0] == 0:
                    pycrdt.handle_sync_message(data[1:], seen)
            strokes.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            await bare.send(json.dumps({"ping": n}))
            while json.loads(await bare.recv()).get("pong") != n:
                pass
            pings.append(time.perf_counter() - begun)
            await asyncio.sleep(BETWEEN_S)
    return strokes, pings


def measure(slug: str, item: int, secrets: list[str]) -> tuple[list[float], list[float]]:
    """(Seconds from a stroke to the other page's document, seconds of a bare round trip), one each turn. Makes the schema a shared one."""
    from backend.labeling.models import LabelSchema

    LabelSchema.objects.filter(slug=slug).update(together="shared")
    return asyncio.run(_measure(slug, item, secrets))
