"""Computing in processes of the workers' code: no torch, sklearn or numpy in a process of ours."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from backend.artifacts.aside import HIDDEN
from backend.similarity.errors import CannotCompute
from backend.similarity.models import Space

Json = dict[str, Any]
BATCH = 5_000


def _environment() -> dict[str, str]:
    places = {"ARTIFACT_URL": str(settings.ARTIFACT_URL), "HEADRACE_DATA_DIR": str(settings.DATA_DIR)}
    return {k: v for k, v in os.environ.items() if k not in HIDDEN} | places


class Calculator:
    """A process that embeds (`workers.embedding`)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **asked: Any) -> Json:
        """Raises CannotCompute with what it says, or when it has ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise CannotCompute(why="The process that computes ended unexpectedly; the studio's log says why.")
        found: Json = json.loads(line)
        if "error" in found:
            raise CannotCompute(why=found["error"])
        return found


@contextmanager
def calculator(space: Space, *, seconds: float | None = None) -> Iterator[Calculator]:
    """Of this space; ended with the block, or after so many seconds."""
    learned = [space.learned] if space.learned else []
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.embedding", space.embedder, json.dumps(space.parameters), *learned],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(), cwd=settings.ROOT, text=True,
    )  # fmt: skip
    over = threading.Timer(seconds, process.kill) if seconds else None
    if over:
        over.start()
    try:
        yield Calculator(process)
    finally:
        if over:
            over.cancel()
        process.kill()
        process.communicate()


def run(module: str, *arguments: str, heard: Callable[[float], bool] = lambda _: True) -> None:
    """Let a module of `workers.embedding` do its work; `heard` is told how far it is, and ends it by False. Raises CannotCompute."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"workers.embedding.{module}", *arguments],
        stdout=subprocess.PIPE,
        env=_environment(),
        cwd=settings.ROOT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if not heard(float(line)):
                raise Stopped
        if process.wait() != 0:
            raise CannotCompute(why="The process that computes ended unexpectedly; the studio's log says why.")
    finally:
        process.kill()
        process.communicate()


class Stopped(Exception):
    """Cancelled, or asked for anew, meanwhile."""


def write_vectors(space: Space, to: Path, condition: str = "v.present", parameters: Json | None = None) -> list[int]:
    """Into a file as pgvector sends them; the ids in its order. `condition` is about `v`."""
    ids: list[int] = []
    last = 0
    with to.open("wb") as out, connection.cursor() as cursor:
        while True:
            cursor.execute(
                f"SELECT v.id, vector_send(v.vector) FROM similarity_vector v WHERE v.space_id = %(space)s AND {condition}"  # noqa: S608 - ours
                " AND v.id > %(last)s ORDER BY v.id LIMIT %(most)s",
                {**(parameters or {}), "space": space.pk, "last": last, "most": BATCH},
            )
            rows = cursor.fetchall()
            if not rows:
                return ids
            last = rows[-1][0]
            for id_, data in rows:
                assert struct.unpack(">H", bytes(data[:2]))[0] == space.dimension
                ids.append(id_)
                out.write(data)
