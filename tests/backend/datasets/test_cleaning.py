"""What nobody needs is removed, what anybody needs stays, also while others write the very same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backend.artifacts import unused
from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.datasets.actions.cleaning import clean
from backend.datasets.incoming import folder
from backend.datasets.models import Upload
from tests.backend.datasets.conftest import Uploader, image, tarred, zipped
from workers.sdk.store import Store
from workers.sdk.sweeping import blobs, remove

OLD = 3 * 86_400


def age(*digests: str) -> None:
    """Make blobs (all, when none is named) three days old."""
    here = store()
    for digest in digests or [d for d, _ in blobs(here, time.time() + 60)]:
        os.utime(here.fetch(digest), (time.time() - OLD, time.time() - OLD))


@pytest.fixture(autouse=True)
def own_store(settings: Any, tmp_path: Any) -> None:
    settings.ARTIFACT_URL, settings.ARTIFACT_SWEEP = str(tmp_path / "artifacts"), True


def test_only_what_nothing_refers_to_is_removed_and_told(upload: Uploader, settings: Any) -> None:
    upload.ready(b"a,b\n1,x\n", "t.csv", name="t", options={"freeze": True})
    upload.ready(zipped({"a/1.png": image("red"), "b/2.png": image("blue")}), "i.zip", options={"freeze": True})
    (folder_path := settings.DATA_DIR / "tree").mkdir(parents=True, exist_ok=True)
    (folder_path / "w.bin").write_bytes(b"weights")
    create_artifact(upload.who.project, "Model", store().put_folder(folder_path))
    upload.problems(tarred({"a/1.png": image("green"), "a/2.png": b"no image"}), "bad.tar")
    lost = hashlib.sha256(image("green")).hexdigest()
    young, stray = store().put_bytes(b"young").digest, store().put_bytes(b"stray").digest
    needed = {d for d, _ in blobs(store(), time.time() + 60)} - {lost, stray}
    age(*(needed - {young}), lost, stray)
    told = clean()
    assert told and (told["blobs"], told["blob_bytes"]) == (2, len(image("green")) + 5)
    assert {d for d, _ in blobs(store(), time.time() + 60)} == needed
    assert json.loads((settings.DATA_DIR / "freed.json").read_text()) == told


def test_bytes_of_uploads_that_are_over_go_and_those_of_drafts_stay(upload: Uploader) -> None:
    draft, gone = upload.ready(b"a\n1\n", "d.csv"), upload.ready(b"a\n1\n", "g.csv")
    left = upload.send(b"a\n1\n", "l.csv")
    Upload.objects.filter(pk=left["id"]).update(status="cancelled")
    Upload.objects.filter(pk=gone["id"]).update(version=None)
    for one in (draft, gone, left):
        os.utime(folder(one["id"]), (time.time() - OLD, time.time() - OLD))
    told = clean()
    assert told and told["uploads"] == 2 and told["upload_bytes"] == 8
    assert folder(draft["id"]).exists() and not folder(gone["id"]).exists() and not folder(left["id"]).exists()


def test_nothing_newer_than_the_oldest_import_at_work_is_removed(upload: Uploader) -> None:
    begun = upload.send(b"a\n1\n", "t.csv")
    Upload.objects.update(created_at=timezone.now() - timedelta(days=9))
    age(stray := store().put_bytes(b"stray").digest)
    assert unused.sweep_unused().blobs == 0 and store().exists(stray)
    Upload.objects.filter(pk=begun["id"]).update(status="failed")
    assert unused.sweep_unused().blobs == 1 and not store().exists(stray)


def test_a_blob_that_is_put_again_between_the_look_and_the_removal_stays(upload: Uploader, monkeypatch: pytest.MonkeyPatch) -> None:
    age(digest := store().put_bytes(b"twice").digest)
    real = unused._unused

    def meanwhile(candidates: Any) -> Any:
        found = real(candidates)
        store().put_bytes(b"twice")
        return found

    monkeypatch.setattr(unused, "_unused", meanwhile)
    assert unused.sweep_unused().blobs == 0 and store().read(digest) == b"twice"


def test_writers_and_a_sweeper_at_once_lose_nothing(tmp_path: Any) -> None:
    here, data = Store(tmp_path / "s"), [bytes([i]) * 100 for i in range(8)]
    before, removed = time.time() - 86_400, 0

    def write(number: int) -> bool:
        """By both ways in; what a writer was promised is there."""
        if number % 2:
            put = here.put_bytes(data[number], durable=False)
        else:
            (path := tmp_path / f"f{number}").write_bytes(data[number])
            put = here.put_file(path, consume=True)
        return here.read(put.digest) == data[number]

    def sweep(_: int) -> int:
        return sum(remove(here, digest, before) for digest, _ in list(blobs(here, before)))

    with ThreadPoolExecutor(10) as pool:
        for _ in range(40):
            for one in data:
                os.utime(here.fetch(here.put_bytes(one).digest), (before - OLD, before - OLD))
            swept = [pool.submit(sweep, i) for i in range(3)]
            assert all(pool.map(write, range(len(data))))
            removed += sum(one.result() for one in swept)
            assert all(here.exists(hashlib.sha256(one).hexdigest()) for one in data)
    for one in data:
        os.utime(here.fetch(hashlib.sha256(one).hexdigest()), (before - OLD, before - OLD))
    assert sweep(0) == len(data), "what nobody puts again is removed"
