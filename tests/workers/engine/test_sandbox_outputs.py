"""What a hostile step leaves in its folder is not taken: links, special files, other bytes, other kinds, pickles, others' pictures."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workers.engine.sandbox.box import Box
from workers.engine.sandbox.limits import Limits
from workers.engine.sandbox.machine import probe
from workers.engine.sandbox.outputs import Refused, Taker
from workers.sdk.kinds import KINDS
from workers.sdk.store import TREE, Store, canonical

Json = dict[str, Any]
PARQUET = "application/vnd.apache.parquet"


class Left:
    """A box as a step left it."""

    def __init__(self, folder: Path):
        self.box = Box(folder / "box", probe(), probe().choose(), Limits(scratch=1 << 20))
        self.box.make()
        self.store = Store(folder / "studio")

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.at(digest).write_bytes(data)
        return digest

    def at(self, digest: str) -> Path:
        path = self.box.scratch / "store" / digest[:2] / digest[2:4] / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def take(self, kind: str, digest: str, media: str = PARQUET, given: list[Json] | None = None, **more: Any) -> Json:
        record = {"port": "out", "kind": kind, "digest": digest, "size": 1, "media_type": media, "inline": None, "metadata": {}, **more}
        port = {"name": "out", "kind": kind, "required": True}
        (taken,) = Taker(self.box, [port], given or [], KINDS, self.store).take([record])
        return taken


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def parquet(folder: Path, **columns: Any) -> bytes:
    pq.write_table(pa.table(columns), folder / "x.parquet")
    return (folder / "x.parquet").read_bytes()


@pytest.mark.parametrize(
    "lay",
    [
        lambda at: at.symlink_to("/etc/passwd"),
        lambda at: os.mkfifo(at),
        lambda at: at.mkdir(),
        lambda at: socket.socket(socket.AF_UNIX).bind(f"/proc/self/fd/{os.open(at.parent, os.O_PATH)}/{at.name}"),
        lambda at: ((at.parent / "other").write_bytes(b"x"), os.link(at.parent / "other", at)),
        lambda at: at.write_bytes(b"other bytes than were named"),
    ],
    ids=["a link to /etc/passwd", "a pipe that stalls whoever opens it", "a folder", "a socket", "a second name", "other bytes"],
)
def test_only_plain_files_are_taken(left: Left, lay: Callable[[Path], Any]) -> None:
    digest = "ab" * 32
    lay(left.at(digest))
    with pytest.raises(Refused):
        left.take("Metrics", digest, "application/json")
    assert not list(left.store.root.rglob("*")) if left.store.root and left.store.root.exists() else True


def test_a_link_on_the_way_is_not_followed(left: Left, tmp_path: Path) -> None:
    data = b'{"somebody": "else"}'
    digest = hashlib.sha256(data).hexdigest()
    theirs = tmp_path / "theirs" / digest[2:4]
    theirs.mkdir(parents=True)
    (theirs / digest).write_bytes(data)
    (left.box.scratch / "store").mkdir()
    (left.box.scratch / "store" / digest[:2]).symlink_to(tmp_path / "theirs")
    with pytest.raises(Refused):
        left.take("Metrics", digest, "application/json")


@pytest.mark.parametrize("kind", ["Table", "Images", "Metrics", "Model"])
def test_pickles_are_nothing(left: Left, kind: str) -> None:
    with pytest.raises(Refused):
        left.take(kind, left.put(pickle.dumps({"a": 1})), "application/octet-stream")


@pytest.mark.parametrize("name", ["model.pkl", "weights.pt", "x.joblib", "x.npy", "run.py", "../out.json", "/etc/x.json"])
def test_a_folder_holds_no_programs_and_leads_nowhere(left: Left, name: str) -> None:
    one = left.put(b"{}")
    entries = [{"path": p, "digest": one, "size": 2} for p in ("manifest.json", "model.onnx")]
    assert left.take("Model", left.put(canonical(entries)), TREE)["media_type"] == TREE  # type: ignore[arg-type]  # as the store lists
    listed = json.dumps({"files": [*entries, {"path": name, "digest": one, "size": 2}]}).encode()
    with pytest.raises(Refused):
        left.take("Model", left.put(listed), TREE)


def test_what_is_said_of_a_table_is_what_is_in_it(left: Left, tmp_path: Path) -> None:
    said = {"rows": 10**9, "columns": [{"name": "a", "type": "category"}, {"name": "secret", "type": "text"}], "label_column": "nowhere"}
    taken = left.take("Table", left.put(parquet(tmp_path, a=[1, 2], b=[0.5, None])), metadata=said)
    assert taken["metadata"] == {"rows": 2, "columns": [{"name": "a", "type": "category"}, {"name": "b", "type": "number"}]}
    assert left.store.exists(taken["digest"])
    whole = parquet(tmp_path, a=list(range(5000)))
    broken = whole[:200] + b"\0" * 400 + whole[600:]
    with pytest.raises(Refused):
        left.take("Table", left.put(broken))


def test_a_list_of_images_names_only_pictures_of_this_step(left: Left, tmp_path: Path) -> None:
    """Otherwise the next step would be handed somebody else's pictures."""
    theirs = left.store.put_bytes(b"\x89PNG\r\n\x1a\n theirs").digest
    came = left.store.put_bytes(b"\x89PNG\r\n\x1a\n came in").digest
    left.box.bring([came], left.store)
    made = left.put(b"\x89PNG\r\n\x1a\n made")
    program = left.put(b"#!/bin/sh")

    def images(*digests: str) -> Json:
        n = len(digests)
        rows = parquet(tmp_path, key=[str(i) for i in range(n)], digest=list(digests), width=[1] * n, height=[1] * n, label=["a"] * n,
                       split=["train"] * n)  # fmt: skip
        return left.take("Images", left.put(rows))

    assert images(came, made)["metadata"] == {"count": 2, "labels": ["a"]} and left.store.exists(made)
    for wrong in (theirs, program, "../../etc/passwd"):
        with pytest.raises(Refused):
            images(came, wrong)


def test_an_input_passes_only_as_what_it_is(left: Left) -> None:
    given = {"port": "in", "kind": "Recipe", "digest": "c" * 64, "size": 1, "media_type": "application/json", "inline": {}, "metadata": {}}
    assert left.take("Recipe", "c" * 64, given=[given])["digest"] == "c" * 64
    with pytest.raises(Refused):
        left.take("Metrics", "c" * 64, given=[given])


def test_a_file_larger_than_the_folder_may_be(left: Left) -> None:
    with pytest.raises(Refused):
        left.take("Metrics", left.put(b"[" + b" " * (1 << 20) + b"]"), "application/json")
