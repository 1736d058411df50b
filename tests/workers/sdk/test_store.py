"""The store keeps what it was given, under any URL, and lets no folder reach out of itself."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import threading
import uuid
from pathlib import Path

import pytest

from workers.sdk.store import TREE, BlobMissing, Store, StoreError, UnsafePath


@pytest.fixture(params=["folder", "file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    url = {"folder": str(tmp_path / "with space"), "file": f"file://{tmp_path}/s", "memory": f"memory://{uuid.uuid4().hex}"}[request.param]
    return Store(url, cache=tmp_path / "cache")


def test_bytes_files_and_streams_come_back(store: Store, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "x.parquet").write_bytes(data)
    kept = store.put_file(tmp_path / "x.parquet")
    assert kept == store.put_stream([data[:10], data[10:]], "application/vnd.apache.parquet")
    assert kept.digest == hashlib.sha256(data).hexdigest() and kept.size == len(data)
    assert store.read(kept.digest) == store.fetch(kept.digest).read_bytes() == data
    assert b"".join(store.pieces(kept.digest, 5, 2_000_000)) == data[5:2_000_005]
    assert store.exists(kept.digest) and store.size(kept.digest) == len(data)
    store.delete(kept.digest)
    store.delete(kept.digest)
    assert not store.exists(kept.digest)
    for ask in (store.read, store.fetch, store.size):
        with pytest.raises(BlobMissing):
            ask(kept.digest)


def test_a_folder_has_one_name_whatever_the_order_and_comes_back_as_files(store: Store, tmp_path: Path) -> None:
    top = tmp_path / "model"
    (top / "b").mkdir(parents=True)
    (top / "b" / "ü.txt").write_text("two")
    (top / "a.txt").write_text("one")
    kept = store.put_folder(top)
    assert kept.media_type == TREE and kept.size == 6
    assert kept == store.put_tree(reversed(store.files(kept.digest)))
    assert [f["path"] for f in store.files(kept.digest)] == ["a.txt", "b/ü.txt"]
    laid = store.fetch_folder(kept.digest)
    assert (laid / "b" / "ü.txt").read_text() == "two" and laid == store.fetch_folder(kept.digest)


def test_local_fetch_is_the_stored_file_itself_and_folders_are_links(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    one = store.put_bytes(b"x")
    path = store.fetch(one.digest)
    assert path == tmp_path / "s" / one.digest[:2] / one.digest[2:4] / one.digest
    tree = store.put_tree([{"path": "x", "digest": one.digest, "size": 1}])
    assert (store.fetch_folder(tree.digest) / "x").samefile(path)


def test_a_consumed_file_is_moved(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    (tmp_path / "big").write_bytes(b"big")
    inode = (tmp_path / "big").stat().st_ino
    kept = store.put_file(tmp_path / "big", consume=True)
    assert not (tmp_path / "big").exists() and store.fetch(kept.digest).stat().st_ino == inode


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a//b", "./a", "a\\..\\b", "C:/x", "a\0b"])
def test_members_that_lead_out_are_refused_on_the_way_in_and_out(store: Store, path: str) -> None:
    one = store.put_bytes(b"x")
    entry = {"path": path, "digest": one.digest, "size": 1}
    with pytest.raises(UnsafePath):
        store.put_tree([entry])  # type: ignore[list-item]  # a plain dict on purpose
    evil = store.put_bytes(json.dumps({"files": [entry]}).encode())
    with pytest.raises(UnsafePath):
        store.fetch_folder(evil.digest)


def test_links_in_a_folder_are_refused(store: Store, tmp_path: Path) -> None:
    top = tmp_path / "f"
    top.mkdir()
    (top / "link").symlink_to("/etc/passwd")
    with pytest.raises(UnsafePath, match="link"):
        store.put_folder(top)


def test_names_that_are_no_digests_reach_no_file(store: Store) -> None:
    for name in ("../../etc/passwd", "a" * 63, "A" * 64, ""):
        with pytest.raises(BlobMissing):
            store.read(name)
    with pytest.raises(StoreError, match="not a folder"):
        store.files(store.put_bytes(b"\xff\x00").digest)


def test_many_writers_of_the_same_bytes(store: Store) -> None:
    data, failures = os.urandom(200_000), []

    def write() -> None:
        try:
            for _ in range(5):
                store.put_stream([data])
                assert store.read(hashlib.sha256(data).hexdigest()) == data
        except Exception as exc:
            failures.append(exc)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_half_written_blob_is_healed_and_nothing_temporary_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = store.put_bytes(b"whole", durable=False)
    store.sync()
    path = store.fetch(kept.digest)
    path.chmod(0o644)
    path.write_bytes(b"\0\0\0\0\0")
    store.put_bytes(b"whole")
    assert store.read(kept.digest) == b"whole"

    def broken():
        yield b"half"
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        store.put_stream(broken())
    assert list((tmp_path / ".tmp").iterdir()) == []
    (tmp_path / ".tmp" / "left").write_bytes(b"")
    assert store.sweep(older_than=-1) == 1


def test_a_store_can_be_sent_to_another_process(store: Store) -> None:
    kept = store.put_bytes(b"x")
    assert pickle.loads(pickle.dumps(store)).read(kept.digest) == b"x"
