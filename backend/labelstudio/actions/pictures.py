"""The pictures of imported tasks: brought into the store when the tasks come, so that what is labelled stays what it is."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from backend.artifacts.storage import store
from backend.core import outgoing
from backend.core.errors import InvalidInput, Problem
from backend.labelstudio.actions.incoming import Task
from workers.sdk.images import LARGEST
from workers.sdk.labels.config import LabelConfig

DATA = re.compile(r"data:image/[a-z.+-]+;base64,", re.IGNORECASE)
MOST_BYTES = 30 * 1024 * 1024
MOST_AT_ONCE = 500
"""Pictures of one call: each may be fetched from elsewhere while the caller waits."""
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    digest: str
    media_type: str
    size: int
    width: int
    height: int

    def row(self, id_: int) -> tuple[str, str, str, int, int]:
        """Key, digest, media type, width and height of the queue's item."""
        return f"{id_}.{self.media_type.partition('/')[2]}", self.digest, self.media_type, self.width, self.height


def fetch_pictures(config: LabelConfig, tasks: Sequence[Task]) -> list[Picture]:
    """One of each task; the task's address of it is dropped for ours. Raises InvalidInput that names each which cannot be had."""
    variable = config.objects[0].value
    if len(tasks) > MOST_AT_ONCE:
        raise InvalidInput(
            message=f"At most {MOST_AT_ONCE} pictures come in one call.", field="tasks", hint="Import them in several calls."
        )
    found: list[Picture] = []
    problems: list[Problem] = []
    with outgoing.client(seconds=20) as client:
        for n, task in enumerate(tasks):
            try:
                found.append(_picture(_bytes(client, task.data[variable])))
            except (ValueError, httpx.HTTPError, OSError) as e:
                problems.append({"field": f"tasks.{n}.data.{variable}", "message": f"This picture cannot be had: {e}"[:300]})
                if len(problems) >= 20:
                    break
    if problems:
        raise InvalidInput(message="Validation error", problems=problems)
    return found


def _bytes(client: httpx.Client, address: object) -> bytes:
    if not isinstance(address, str):
        raise ValueError("its address is no text")
    if match := DATA.match(address):
        try:
            return base64.b64decode(address[match.end() :], validate=True)
        except binascii.Error as e:
            raise ValueError("its data: address is not base64") from e
    if not address.startswith(("http://", "https://")):
        raise ValueError("an address begins with https:// or data:image/")
    answer = outgoing.fetch(client, "GET", address, most=MOST_BYTES)
    if answer.status_code != 200:
        raise ValueError(f"its server answered {answer.status_code}")
    return answer.content


def _picture(data: bytes) -> Picture:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=list(TYPES)) as image:
        if image.width * image.height > LARGEST:
            raise ValueError(f"it has more than {LARGEST // 1_000_000} million pixels")
        media_type, width, height = TYPES[image.format or ""], image.width, image.height
        image.verify()
    stored = store().put_bytes(data, media_type)
    return Picture(digest=stored.digest, media_type=media_type, size=len(data), width=width, height=height)
