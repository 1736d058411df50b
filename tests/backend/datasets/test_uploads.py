"""Uploads over bad lines, in two windows at once, and through workers that die."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from backend.artifacts.models import Artifact
from backend.core.models import Project
from backend.datasets.actions import announce, importing
from backend.datasets.actions.cleaning import sweep
from backend.datasets.locks import only_one
from backend.datasets.models import Dataset, DatasetVersion, Item, Upload
from backend.datasets.tasks import freeze_version, read_upload
from tests.backend.datasets.conftest import Uploader, image, zipped
from tests.backend.people import person

CSV = b"a,b\n" + b"1,x\n" * 1000


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was announced to the worker."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(announce, "send", lambda task, id_: found.append((task, str(id_))))
    return found


def test_a_broken_upload_goes_on_where_it_stopped(upload: Uploader) -> None:
    begun = upload.start(CSV, "t.csv")
    assert upload.chunk(begun, 0, CSV[:1000])["received"] == 1000
    assert upload.chunk(begun, 0, CSV[:1000])["received"] == 1000, "sent twice: nothing happens"
    gap = upload.chunk(begun, 2000, CSV[2000:2500], status=409)["error"]
    assert gap["code"] == "wrong_offset" and gap["details"]["expected"] == 1000
    assert upload.chunk(begun, 500, CSV[500:1500], status=409)["error"]["details"]["expected"] == 1000
    early = upload.who.post(f"/uploads/{begun['id']}/complete", status=409)["error"]
    assert early["code"] == "incomplete" and early["details"] == {"received": 1000, "size": len(CSV)}
    assert upload.who.get(f"/uploads/{begun['id']}")["received"] == 1000
    upload.chunk(begun, 1000, CSV[1000:])
    upload.chunk(begun, len(CSV), b"too much", status=413)
    for _ in range(2):
        assert upload.who.post(f"/uploads/{begun['id']}/complete", status=202)["status"] == "processing"
    read_upload(begun["id"])
    assert upload.who.get(f"/uploads/{begun['id']}")["status"] == "ready"
    upload.chunk(begun, 0, CSV[:10], status=409)


def test_sizes_and_names_are_checked_before_a_byte_is_sent(upload: Uploader, monkeypatch: pytest.MonkeyPatch) -> None:
    upload.who.post("/uploads", {"filename": "a.csv", "size": 0}, status=422)
    upload.who.post("/uploads", {"filename": "a.csv", "size": settings.UPLOAD_MAX_BYTES + 1}, status=413)
    upload.who.post("/uploads", {"filename": "..", "size": 1}, status=422)
    upload.who.post("/uploads", {"filename": "a.csv", "size": 1, "dataset": "none"}, status=404)
    upload.who.post("/uploads", {"filename": "a.csv", "size": 1, "mode": "append"}, status=422)
    wrong = upload.who.post("/uploads", {"filename": "a.csv", "size": 1, "options": {"delimeter": ";"}}, status=422)
    assert "delimeter" in wrong["error"]["field"]
    assert upload.who.post("/uploads", {"filename": "C:\\data\\x\\a.csv", "size": 1})["filename"] == "a.csv"
    monkeypatch.setattr("backend.datasets.actions.receive.SPARE", 1 << 62)
    assert upload.who.post("/uploads", {"filename": "a.csv", "size": 1}, status=507)["error"]["code"] == "disk_full"


@pytest.mark.django_db(transaction=True)
def test_the_same_chunk_at_the_same_time_is_written_once(db: None) -> None:
    upload = Uploader(person(Project.objects.create(slug="lab", name="Lab"), "editor"))
    begun = upload.start(CSV, "t.csv")
    path = f"/api/v1/projects/lab/uploads/{begun['id']}/chunks?offset=0"

    def put(_: int) -> int:
        try:
            return int(
                upload.who.http.put(
                    path, CSV, content_type="application/octet-stream", headers={"Authorization": f"Bearer {upload.who.secret}"}
                ).status_code
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(put, range(4))) == {200}
    upload.who.post(f"/uploads/{begun['id']}/complete", status=202)
    read_upload(begun["id"])
    assert upload.who.get("/datasets/t/versions/1")["item_count"] == 1000


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_message_make_one_version_and_two_uploads_two(db: None) -> None:
    upload = Uploader(person(Project.objects.create(slug="lab", name="Lab"), "editor"))
    first = upload.ready(CSV, "t.csv", name="t")
    both = [upload.send(CSV, "t.csv", dataset="t", mode="append") for _ in range(2)]

    def work(id_: str) -> None:
        try:
            read_upload(id_)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [b["id"] for b in both] * 2))
    for b in both:
        read_upload(b["id"])
    versions = upload.who.get("/datasets/t/versions")
    assert [v["item_count"] for v in versions] == [3000, 2000, 1000] and first["version"] == 1
    assert {upload.who.get(f"/uploads/{b['id']}")["version"] for b in both} == {2, 3}


@pytest.mark.parametrize("data", [CSV, zipped({"a/1.png": image("red"), "b/2.png": image("blue")})], ids=["table", "images"])
def test_a_worker_that_dies_anywhere_leaves_nothing_half_and_the_next_one_finishes(
    upload: Uploader, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    class Killed(BaseException):
        """Not an Exception: like SIGKILL, nothing of ours catches it."""

    name = "x.csv" if data is CSV else "x.zip"
    begun = upload.send(data, name, options={"freeze": True})
    for place in ("dataset_changed", "read_upload"):
        with monkeypatch.context() as patch:
            real = getattr(importing, place)

            def dies(*args: Any, real: Any = real, **kwargs: Any) -> None:
                real(*args, **kwargs)
                raise Killed

            patch.setattr(importing, place, dies)
            with pytest.raises(Killed):
                read_upload(begun["id"])
        assert (Dataset.objects.count(), DatasetVersion.objects.count(), Item.objects.count(), Artifact.objects.count()) == (0, 0, 0, 0)
        assert upload.who.get(f"/uploads/{begun['id']}")["status"] == "processing"
    read_upload(begun["id"])
    read_upload(begun["id"])
    assert upload.who.get(f"/uploads/{begun['id']}")["status"] == "ready" and DatasetVersion.objects.count() == 1


def test_a_file_that_ends_every_worker_is_given_up(upload: Uploader, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = upload.send(CSV, "t.csv")
    monkeypatch.setattr(importing, "read_upload", lambda *_: (_ for _ in ()).throw(SystemExit))
    for _ in range(announce.ATTEMPTS):
        with pytest.raises(SystemExit):
            read_upload(begun["id"])
    read_upload(begun["id"])
    assert "ended the worker 3 times" in upload.who.get(f"/uploads/{begun['id']}")["message"]


def test_a_fault_of_ours_is_told_as_ours(upload: Uploader, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = upload.send(CSV, "t.csv")
    monkeypatch.setattr(importing, "read_upload", lambda *_: 1 / 0)
    read_upload(begun["id"])
    assert "error of the studio itself" in upload.who.get(f"/uploads/{begun['id']}")["message"]


def test_cancelling_while_it_is_read_stops_it_and_leaves_nothing(upload: Uploader, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = upload.send(CSV, "t.csv")
    real = importing.read_upload

    def slow(*args: Any) -> Any:
        found = real(*args)
        upload.who._json(upload.who.ask("DELETE", f"/uploads/{begun['id']}"), 204)
        return found

    monkeypatch.setattr(importing, "read_upload", slow)
    read_upload(begun["id"])
    assert upload.who.get(f"/uploads/{begun['id']}")["status"] == "cancelled" and Dataset.objects.count() == 0
    assert not importing.folder(begun["id"]).exists()
    upload.who._json(upload.who.ask("DELETE", f"/uploads/{begun['id']}"), 204)
    upload.chunk(begun, 0, b"x", status=409)


@pytest.mark.django_db(transaction=True)
def test_a_lost_message_is_sent_again_when_someone_looks_and_when_a_worker_starts(db: None, sent: list[tuple[str, str]]) -> None:
    upload = Uploader(person(Project.objects.create(slug="lab", name="Lab"), "editor"))
    begun = upload.send(CSV, "t.csv")
    assert sent == [(announce.READ, begun["id"])]
    sent.clear()
    upload.who.get(f"/uploads/{begun['id']}")
    assert sent == [], "not at once"
    Upload.objects.update(announced_at=timezone.now() - timedelta(minutes=5))
    upload.who.get("/uploads")
    upload.who.get(f"/uploads/{begun['id']}")
    assert sent == [(announce.READ, begun["id"])]
    announce.announce_waiting(everything=True)
    assert len(sent) == 2
    sent.clear()
    read_upload(begun["id"])
    assert [task for task, _ in sent] == [announce.PROFILE]
    version = DatasetVersion.objects.get()
    upload.who.post("/datasets/t/versions/1/freeze", {}, status=202)
    assert sent[-1] == (announce.FREEZE, str(version.pk))
    DatasetVersion.objects.update(announced_at=timezone.now() - timedelta(minutes=5))
    upload.who.get("/datasets/t/versions/1")
    assert sent[-1] == (announce.FREEZE, str(version.pk)) and len(sent) == 3
    for _ in range(2):
        freeze_version(str(version.pk))
    assert upload.who.get("/datasets/t/versions/1")["status"] == "frozen" and Artifact.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_held_by_one_and_given_back(db: None) -> None:
    seen: list[bool] = []

    def other() -> None:
        with only_one("x") as mine:
            seen.append(mine)
        connection.close()

    with only_one("x") as mine:
        assert mine
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [False, True]


def test_abandoned_bytes_are_swept(upload: Uploader) -> None:
    begun = upload.start(CSV, "t.csv")
    upload.chunk(begun, 0, CSV[:10])
    Upload.objects.update(updated_at=timezone.now() - timedelta(days=8))
    sweep()
    assert upload.who.get(f"/uploads/{begun['id']}")["status"] == "cancelled"


def test_what_others_upload_is_not_in_my_list(upload: Uploader) -> None:
    upload.start(CSV, "t.csv")
    other = person(upload.who.project, "operator")
    assert other.get("/uploads") == [] and len(upload.who.get("/uploads")) == 1
