"""The files of tasks: brought into the store when the tasks come, looked at as an upload is, so that what is labelled stays what it is."""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from django.conf import settings

from backend.artifacts.storage import store
from backend.core import outgoing
from backend.core.errors import HeadraceError, InvalidInput, Problem
from backend.datasets.reading.items import most_bytes, read_single
from backend.datasets.reading.problems import Problems, ReadFailed
from backend.labeling.models import LabelSchema
from backend.labelstudio.actions.incoming import Task
from backend.labelstudio.models import FileUpload
from workers.sdk.labels.config import LabelConfig

DATA = re.compile(r"data:[a-z]+/[a-z0-9.+-]+;base64,", re.IGNORECASE)
MOST_BYTES = 256 * 1024 * 1024
"""Of a file that comes while the caller waits; a synchronisation, which nobody waits for, brings what an upload may have."""
MOST_AT_ONCE = 500
"""Files of one call: each may be fetched from elsewhere while the caller waits."""
MODALITY = {"Image": "images", "Audio": "audio", "Video": "video", "Pdf": "document"}
"""What a data set holds, by the tag that shows it."""
WORDS = {"images": "picture", "audio": "sound", "video": "video", "document": "PDF", "text": "text"}
PLAIN = re.compile(r"[^\w.-]+")
Fetch = Callable[[str, Path, int], None]
"""Brings an address into a file of at most so many bytes; raises ValueError with what a person can do."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file in the store. `data` is what is known of it: duration, pages …"""

    name: str
    digest: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    data: dict[str, Any] = field(default_factory=dict)

    def key(self, id_: int) -> str:
        """Of the queue's item: unique, and still like the file's name."""
        ending = {"jpeg": "jpg", "plain": "txt", "mpeg": "mp3"}.get(sub := self.media_type.partition("/")[2], sub.removeprefix("x-"))
        return f"{id_}-{self.name}" if self.name else f"{id_}.{ending}"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder beside the uploads, for files on their way."""
    base = settings.DATA_DIR / "uploads"
    base.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="files-", dir=base))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def keep(path: Path, name: str, modality: str, work: Path) -> Kept:
    """Look at a file as an upload is looked at, and keep it; raises ValueError."""
    name = PLAIN.sub("-", PurePosixPath(name).name)[-80:].lstrip(".-")
    problems = Problems(file=name or path.name)
    try:
        read_single(path, name or path.name, modality, work, store(), problems, lambda *_: None)
    except ReadFailed as e:
        first = e.problems[0]
        raise ValueError(f"{first['message']} ({first['expected']})" if first.get("expected") else first["message"]) from e
    _, digest, media_type, size, width, height, _, _, data = json.loads((work / "items.jsonl").read_text(encoding="utf-8"))
    return Kept(name=name, digest=digest, media_type=media_type, size=size, width=width, height=height, data=data)


def bring(address: object, modality: str, fetch: Fetch, *, most: int = MOST_BYTES) -> Kept:
    """The file at an address; raises ValueError, httpx.HTTPError or OSError."""
    if not isinstance(address, str):
        raise ValueError("its address is no text")
    with folder() as work:
        path, name = work / "file", ""
        if match := DATA.match(address):
            try:
                path.write_bytes(base64.b64decode(address[match.end() :], validate=True))
            except binascii.Error as e:
                raise ValueError("its data: address is not base64") from e
        else:
            fetch(address, path, min(most, most_bytes(modality)))
            name = unquote(urlsplit(address).path).rsplit("/", 1)[-1]
        return keep(path, name if "." in name else "", modality, work)


def fetch_files(config: LabelConfig, tasks: Sequence[Task], schema: LabelSchema) -> list[Kept]:
    """One of each task; the task's address of it is dropped for ours. Raises InvalidInput that names each which cannot be had."""
    variable, modality = config.objects[0].value, schema.dataset.modality
    if len(tasks) > MOST_AT_ONCE:
        raise InvalidInput(message=f"At most {MOST_AT_ONCE} files come in one call.", field="tasks", hint="Import them in several calls.")
    paths = [uploaded_path(task.data[variable]) for task in tasks]
    uploads = {row.path: row for row in FileUpload.objects.filter(schema=schema, path__in=[p for p in paths if p])}
    found: list[Kept] = []
    problems: list[Problem] = []
    with outgoing.client(seconds=20) as client:
        for n, (task, path) in enumerate(zip(tasks, paths, strict=True)):
            try:
                if path in uploads:
                    found.append(kept_of(uploads[path]))
                else:
                    found.append(bring(task.data[variable], modality, lambda *given: _from_the_web(client, *given)))
            except (ValueError, httpx.HTTPError, OSError) as e:
                problems.append({"field": f"tasks.{n}.data.{variable}", "message": f"This {WORDS[modality]} cannot be had: {e}"[:300]})
                if len(problems) >= 20:
                    break
    if problems:
        raise InvalidInput(message="Validation error", problems=problems)
    return found


def kept_of(row: FileUpload) -> Kept:
    return Kept(
        name=row.path.rsplit("/", 1)[-1].partition("-")[2], digest=row.digest, media_type=row.media_type, size=row.size, **row.about
    )


def uploaded_path(address: object) -> str:
    """`upload/…` of an address of a file that was uploaded here; '' of any other."""
    if not isinstance(address, str):
        return ""
    path = address.removeprefix(settings.PUBLIC_URL or "\0")
    return path.removeprefix("/data/") if path.startswith("/data/upload/") else ""


def _from_the_web(client: httpx.Client, address: str, path: Path, most: int) -> None:
    if not address.startswith(("http://", "https://")):
        raise ValueError("an address begins with https:// or data:, or names a file that was uploaded")
    try:
        outgoing.check_url(address, "url")
    except HeadraceError as e:
        raise ValueError(f"{e} {e.hint}".strip()) from e
    stream(client, address, path, most)


def stream(client: httpx.Client, address: str, path: Path, most: int, headers: dict[str, str] | None = None) -> None:
    """Into a file, a piece at a time; raises ValueError."""
    with client.stream("GET", address, headers=headers) as answer:
        if 300 <= answer.status_code < 400:
            raise ValueError("its server sends elsewhere, and redirects are not followed")
        if answer.status_code != 200:
            raise ValueError(f"its server answered {answer.status_code}")
        size = 0
        with path.open("wb") as out:
            for piece in answer.iter_bytes():
                size += len(piece)
                if size > most:
                    raise ValueError(f"it has more than {most:,} bytes")
                out.write(piece)
