"""Artifacts over HTTP: what a person sees of them, their bytes, and where they came from."""

from __future__ import annotations

import io
import json
import socket
import struct
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connections
from django.test import AsyncClient, Client
from PIL import Image

from backend.artifacts import aside, lineage
from backend.artifacts.actions import create_artifact, link
from backend.artifacts.models import Artifact
from backend.artifacts.storage import store
from backend.core.errors import InvalidInput, NotFound
from backend.core.ids import new_id
from backend.core.models import Membership, Project, User
from workers.sdk.store import Stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    user = User.objects.create_user("ada@example.org", "long-enough-secret")
    project = Project.objects.create(slug="lab", name="Lab", created_by=user)
    Membership.objects.create(project=project, user=user, role="viewer")
    return project


@pytest.fixture
def client(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


def url(artifact: Artifact, rest: str = "") -> str:
    return f"/api/v1/projects/lab/artifacts/{artifact.id}{rest}"


def parquet(tmp_path: Path, table: pa.Table, rows: int = 100) -> Stored:
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=rows)
    return store().put_file(tmp_path / "t.parquet")


def png(color: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (600, 300), color).save(out, "PNG")
    return out.getvalue()


def test_a_table_is_shown_by_windows_of_any_place(client: Client, project: Project, tmp_path: Path) -> None:
    table = pa.table({"n": pa.array(range(1000)), "x": pa.array([float("nan"), None, 0.5, 1.0] * 250), "t": ["é"] * 1000})
    artifact = create_artifact(project, "Table", parquet(tmp_path, table), {"columns": [{"name": "t", "type": "category"}]})
    seen = client.get(url(artifact, "/preview?offset=98&limit=5")).json()
    assert seen["total"] == 1000 and [r[0] for r in seen["rows"]] == [98, 99, 100, 101, 102]
    assert [c["type"] for c in seen["columns"]] == ["integer", "number", "category"] and seen["rows"][2][1] is None
    assert client.get(url(artifact, "/preview?offset=5000")).json()["rows"] == []
    assert len(client.get(url(artifact, "/preview?offset=-3&limit=100000")).json()["rows"]) == 500


def test_an_equal_artifact_is_the_same_one_and_inline_values_are_named_by_content(project: Project) -> None:
    one = create_artifact(project, "Metrics", inline={"b": 1, "a": [0.5]})
    assert one == create_artifact(project, "Metrics", inline={"a": [0.5], "b": 1}) and one.size == len('{"a":[0.5],"b":1}')
    with pytest.raises(InvalidInput, match="NaN"):
        create_artifact(project, "Metrics", inline=float("nan"))
    with pytest.raises(InvalidInput):
        create_artifact(project, "Metrics")


def test_a_model_folder_shows_its_card_and_downloads_as_a_zip(client: Client, project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    (folder / "sub").mkdir(parents=True)
    (folder / "manifest.json").write_text('{"format": "headrace-model/1"}')
    (folder / "card.md").write_text("# Card")
    (folder / "sub" / "page.html").write_text("<script>alert(1)</script>")
    artifact = create_artifact(project, "Model", store().put_folder(folder))
    assert client.get(url(artifact, "/preview")).json() == {
        "type": "card",
        "markdown": "# Card",
        "manifest": {"format": "headrace-model/1"},
    }
    answer = client.get(url(artifact, "/download"))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None and archive.read("sub/page.html") == b"<script>alert(1)</script>"
    page = client.get(url(artifact, "/files/sub/page.html"))
    assert page["Content-Type"] == "application/octet-stream" and page["Content-Disposition"].startswith("attachment")
    assert page["X-Content-Type-Options"] == "nosniff" and "sandbox" in page["Content-Security-Policy"]
    for wrong in ("../manifest.json", "nothing.txt", "%2e%2e/x"):
        assert client.get(url(artifact, f"/files/{wrong}")).status_code == 404


def test_images_are_reached_by_row_with_thumbnails(client: Client, project: Project, tmp_path: Path) -> None:
    kept = [store().put_bytes(png(c)) for c in ("red", "blue")]
    manifest = pa.table({
        "key": ["a/1.png", "b/2.png"],
        "digest": [k.digest for k in kept], "width": [600, 600], "height": [300, 300], "label": ["a", "b"], "split": [None, None],
    })  # fmt: skip
    artifact = create_artifact(project, "Images", parquet(tmp_path, manifest))
    seen = client.get(url(artifact, "/preview?offset=1")).json()
    assert seen["total"] == 2 and seen["images"][0]["label"] == "b"
    full = client.get(seen["images"][0]["url"])
    assert (
        full["Content-Type"] == "image/png"
        and b"".join(full.streaming_content) == png("blue")
        and full["Content-Disposition"].startswith("inline")
    )
    assert client.get(seen["images"][0]["url"], headers={"If-None-Match": full["ETag"]}).status_code == 304
    small = client.get(seen["images"][0]["thumbnail_url"])
    assert Image.open(io.BytesIO(small.content)).size == (256, 128)
    assert client.get(url(artifact, "/files/2")).status_code == 404
    for _ in range(2):  # the second time the process that made the first is gone, as after a quiet hour
        with zipfile.ZipFile(io.BytesIO(b"".join(client.get(url(artifact, "/download")).streaming_content))) as archive:
            assert archive.namelist() == ["a/1.png", "b/2.png", "manifest.csv"]
        for hand in aside.hands("stream")._free:
            hand._process.terminate()
            hand._process.wait()


def test_figures_and_other_json(client: Client, project: Project) -> None:
    figures = [{"title": "ROC", "figure": {"data": [], "layout": {}}}]
    artifact = create_artifact(project, "Figures", store().put_bytes(json.dumps(figures).encode(), "application/json"))
    assert client.get(url(artifact, "/preview")).json() == {"type": "figures", "figures": figures}
    metrics = create_artifact(project, "Metrics", inline={"auc": 0.9})
    assert client.get(url(metrics, "/preview")).json() == {"type": "json", "value": {"auc": 0.9}}
    assert b"".join(client.get(url(metrics, "/download")).streaming_content) == b'{\n  "auc": 0.9\n}'
    broken = create_artifact(project, "Table", store().put_bytes(b"not parquet"))
    assert client.get(url(broken, "/preview")).status_code == 422
    lost = create_artifact(project, "Figures", Stored(digest="0" * 64, size=1))
    assert client.get(url(lost, "/preview")).status_code == client.get(url(lost, "/download")).status_code == 410


def test_another_project_s_artifact_is_not_here(client: Client, project: Project) -> None:
    other = Project.objects.create(slug="other", name="Other")
    artifact = create_artifact(other, "Metrics", inline=1)
    assert client.get(url(artifact)).status_code == client.get(url(artifact, "/download")).status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_bytes_are_streamed_under_asgi(project: Project) -> None:
    from asgiref.sync import sync_to_async

    artifact = await sync_to_async(lambda: create_artifact(project, "Blob", store().put_bytes(b"x" * 3_000_000)))()
    client = AsyncClient()
    await client.aforce_login(project.created_by)
    answer = await client.get(url(artifact, "/download"))
    assert answer.is_async and sum([len(piece) async for piece in answer.streaming_content]) == 3_000_000
    await sync_to_async(connections.close_all)()


def test_lineage_goes_both_ways_but_not_sideways(client: Client, project: Project) -> None:
    source, step, sibling, model = new_id(), new_id(), new_id(), new_id()
    artifact = create_artifact(project, "Metrics", inline=1)
    link(project, [
        (("dataset_version", source), ("step_run", step), "used"),
        (("dataset_version", source), ("step_run", sibling), "used"),
        (("step_run", step), ("artifact", artifact.id), "made"),
        (("artifact", artifact.id), ("model_version", model), "registered"),
        (("model_version", model), ("dataset_version", source), "a circle must end"),
    ])  # fmt: skip
    link(project, [(("step_run", step), ("artifact", artifact.id), "made")])
    seen: dict[str, Any] = client.get(f"/api/v1/projects/lab/lineage/artifact/{artifact.id}").json()
    ids = {n["id"] for n in seen["nodes"]}
    assert {str(source), str(step), str(artifact.id), str(model)} <= ids
    assert next(n["label"] for n in seen["nodes"] if n["type"] == "artifact") == f"Metrics {artifact.digest[:8]}"
    assert [str(step), str(artifact.id), "made"] in seen["edges"]
    assert len(lineage.walk(project, ("dataset_version", source), limit=3)[0]) == 3
    with pytest.raises(NotFound):
        lineage.walk(project, ("artifact", new_id()))
    assert client.get("/api/v1/projects/lab/lineage/artifact/nonsense").status_code == 404


def test_two_messages_of_a_hand_that_come_at_once_are_both_heard() -> None:
    ours, theirs = socket.socketpair()
    for said, body in (({"progress": 0.99}, b""), ({"size": 3}, b"abc")):
        data = json.dumps(said).encode()
        theirs.sendall(struct.pack(">I", len(data)) + data + body)
    assert aside.received(ours, 1) == {"progress": 0.99}
    assert aside.received(ours, 1) == {"size": 3, "body": b"abc"}, "what came with the first was never waited for"
    assert aside.received(ours, 0.01) is None
    theirs.close()
    with pytest.raises(EOFError):
        aside.received(ours, 1)
    ours.close()
