"""Files of tasks on their way: out by upload, in by download with the token, and never from where nobody may fetch."""

from __future__ import annotations

import base64
import io
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from backend.labelstudio.actions.files import bring
from backend.labelstudio.actions.sync.there import There
from tests import media
from tests.backend.labelstudio.conftest import Running, Server
from tests.backend.labelstudio.pair import Pair, png
from workers.sdk.client import Client

KINDS = {
    "Image": ("image/png", png("red"), png("blue")),
    "Audio": ("audio/wav", media.wav(0.2), media.wav(0.3)),
    "Video": ("video/webm", media.webm(3.0), media.webm(4.0)),
    "Pdf": ("application/pdf", media.pdf(1), media.pdf(2)),
}


def choices(tag: str) -> str:
    return (
        f'<View><{tag} name="it" value="$it"/><Choices name="mood" toName="it"><Choice value="good"/><Choice value="bad"/></Choices></View>'
    )


def said(value: str) -> list[dict[str, Any]]:
    return [{"from_name": "mood", "to_name": "it", "type": "choices", "value": {"choices": [value]}}]


def inline(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def contents(running: Running, ls: Any, project: int, token: str) -> dict[bytes, list[str]]:
    """{bytes of a task's file: answers}"""
    found = {}
    for one in ls.tasks.list(project=project):
        file = httpx.get(one.data["it"], headers={"Authorization": f"Token {running.tokens[token]}"})
        assert file.status_code == 200, file.text
        found[file.content] = [a["result"][0]["value"]["choices"][0] for a in one.annotations or []]
    return found


@pytest.mark.parametrize("tag", KINDS)
def test_files_travel_both_ways_with_what_is_said_of_them(running: Running, tag: str) -> None:
    kind, ours, theirs = KINDS[tag]
    pair = Pair(running, config=choices(tag), linked=False)
    pair.here.projects.import_tasks(pair.ours, request=[{"data": {"it": inline(kind, ours)}, "annotations": [{"result": said("good")}]}])
    pair.there.projects.import_tasks(
        pair.theirs, request=[{"data": {"it": inline(kind, theirs)}, "annotations": [{"result": said("bad")}]}]
    )
    pair.link()
    link = pair.settled()
    assert (link["problems"], link["conflicts"]) == ([], []), link["message"]
    here, there = contents(running, pair.here, pair.ours, "olga"), contents(running, pair.there, pair.theirs, "sam")
    assert here == there == {ours: ["good"], theirs: ["bad"]}


@pytest.mark.parametrize("modality", ["Image", "Text"])
def test_a_data_set_that_was_uploaded_gets_a_version_with_what_came(running: Running, tmp_path: Path, modality: str) -> None:
    client = Client(running.url, running.tokens["olga"], "lab")
    name = f"uploaded-{modality.lower()}"
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        archive.writestr(*(("cat/a.png", png("green")) if modality == "Image" else ("a.txt", "Green is the grass.")))
    client.upload(tmp_path / "files.zip", name=name, options={"freeze": True})
    client.wait_for_version(name, 1)
    client.request("POST", "/projects/lab/label-schemas", json={"name": name, "dataset": name, "xml": choices(modality)})
    there = running.client("sam")
    theirs = there.projects.create(title=name, label_config=choices(modality)).id
    new: Any = inline("image/png", png("white")) if modality == "Image" else "White is the snow."
    there.projects.import_tasks(theirs, request=[{"it": new}])
    base = f"/projects/lab/label-schemas/{name}"
    pair = Pair.__new__(Pair)
    pair.http = httpx.Client(base_url=f"{running.url}/api/v1{base}", headers={"Authorization": f"Bearer {running.tokens['olga']}"})
    while client.request("GET", base)["fill_status"] != "ready":
        time.sleep(0.1)
    assert pair.http.put("/link", json={"url": running.url, "token": running.tokens["sam"], "remote": theirs}).status_code == 202
    link = pair.settled()
    assert (link["tasks"], link["problems"]) == (2, []), link["message"]
    assert len(list(there.tasks.list(project=theirs))) == 2
    while (schema := client.request("GET", base))["filled"] != 2 or schema["fill_status"] != "ready":
        time.sleep(0.1)
    assert client.wait_for_version(name, 2)["item_count"] == 2
    keys = [item["key"] for item in pair.http.get("/items").json()["items"]]
    assert len(keys) == 2 and keys[0] in ("cat/a.png", "a.txt"), "what was there is what it was, and what came is behind it"


@pytest.fixture
def there(settings: Any) -> Any:
    settings.ALLOW_PRIVATE_CALLS = True
    made = There("https://labels.example.org", "legacy")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("s3://bucket/cat.png", "only Label Studio can read"),
        ("gs://bucket/cat.png", "only Label Studio can read"),
        ("http://169.254.169.254/latest/meta-data", "private network"),
        ("http://[::1]/cat.png", "private network"),
        ("file:///etc/passwd", "only Label Studio can read"),
    ],
)
def test_addresses_that_nobody_may_fetch_are_refused_by_name(there: There, settings: Any, address: str, why: str) -> None:
    settings.ALLOW_PRIVATE_CALLS = False
    with pytest.raises(ValueError, match=why):
        bring(address, "images", there.fetch)


def test_the_token_goes_to_its_own_server_only_and_what_comes_is_looked_at(
    there: There, server: Server, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR, settings.ARTIFACT_URL = tmp_path, str(tmp_path / "artifacts")
    server.answers["/page.png"] = lambda _: (200, {"no": "picture"})
    with pytest.raises(ValueError, match=r"though its name says \.png"):
        bring(f"{server.url}/page.png", "images", there.fetch)
    server.answers["/away.png"] = lambda _: (302, {})
    with pytest.raises(ValueError, match="redirects are not followed"):
        bring(f"{server.url}/away.png", "images", there.fetch)
    with pytest.raises(ValueError, match="more than 3 bytes"):
        bring(f"{server.url}/page.png", "images", there.fetch, most=3)
    assert not any("Authorization" in headers for _, headers, _ in server.got), "another server learns nothing of the token"
    own = There(server.url, "legacy")
    with pytest.raises(ValueError, match="though its name says"):
        bring("/page.png", "images", own.fetch)
    own.close()
    assert server.got[-1][1]["Authorization"] == "Token legacy"
    assert not list((tmp_path / "uploads").iterdir()), "nothing is left behind"


def test_a_form_with_files_is_imported_as_label_studio_does(running: Running) -> None:
    ls = running.client("olga")
    project = ls.projects.create(title="By form", label_config=choices("Image")).id
    http = httpx.Client(base_url=running.url, headers={"Authorization": f"Token {running.tokens['olga']}"})
    files = {"a": ("cat.png", io.BytesIO(png("red")), "image/png"), "b": ("dog.png", io.BytesIO(png("blue")), "image/png")}
    kept = http.post(f"/api/projects/{project}/import?commit_to_project=false", files=files).json()
    assert (len(kept["file_upload_ids"]), list(ls.tasks.list(project=project))) == (2, []), "kept, and no task made yet"
    rows = ls.files.list(id=project, ids=kept["file_upload_ids"])
    file = http.get(f"/data/{rows[0].file}")
    assert (file.content, file.headers["content-type"]) == (png("red"), "image/png")
    assert httpx.get(f"{running.url}/data/{rows[0].file}").status_code == 401
    stranger = {"Authorization": f"Token {running.tokens['sam']}"}
    assert httpx.get(f"{running.url}/data/{rows[0].file}", headers=stranger).status_code == 404
    ls.projects.import_tasks(project, request=[{"it": f"/data/{rows[0].file}", "camera": "left"}])
    assert http.post(f"/api/projects/{project}/import", files={"c": ("c.png", io.BytesIO(png("green")))}).status_code == 201
    assert [t.data.get("camera") for t in ls.tasks.list(project=project)] == ["left", None]
    wrong = http.post(f"/api/projects/{project}/import", files={"c": ("c.png", io.BytesIO(b"<html>"))})
    assert (wrong.status_code, "c.png" in wrong.json()["detail"]) == (400, True)


def test_what_is_said_beside_a_file_is_followed_and_another_file_is_asked_about(running: Running) -> None:
    kind, ours, theirs = KINDS["Image"]
    pair = Pair(running, config=choices("Image"), linked=False)
    pair.here.projects.import_tasks(pair.ours, request=[{"data": {"it": inline(kind, ours), "camera": "left"}}])
    pair.there.projects.import_tasks(pair.theirs, request=[{"data": {"it": inline(kind, theirs), "camera": "top"}}])
    pair.link()
    pair.settled()
    here, there = ({t.data["camera"]: t for t in ls.tasks.list(project=n)} for ls, n in ((pair.here, pair.ours), (pair.there, pair.theirs)))
    assert set(here) == set(there) == {"left", "top"}
    pair.there.tasks.update(id=there["left"].id, data={**there["left"].data, "camera": "left, mended"})
    pair.here.tasks.update(id=here["top"].id, data={**here["top"].data, "camera": "top, mended"})
    assert pair.sync()["conflicts"] == []
    for side, number in ((pair.here, pair.ours), (pair.there, pair.theirs)):
        assert {t.data["camera"] for t in side.tasks.list(project=number)} == {"left, mended", "top, mended"}
    pair.sync()  # and now the address of each is known
    with psycopg.connect(running.database, autocommit=True) as db:  # what it showed there before was at another address
        db.execute("UPDATE labelstudio_linkedtask SET their_file = repeat('0', 64) WHERE remote = %s", [there["left"].id])
    pair.there.tasks.update(id=there["left"].id, data={"camera": "right"})
    (conflict,) = pair.sync()["conflicts"]
    assert (conflict["kind"], conflict["task"]) == ("file", here["left"].id)
    assert pair.choose(conflict["id"], "theirs")["conflicts"] == [], "each side keeps its file"
    assert contents(running, pair.here, pair.ours, "olga").keys() == {ours, theirs}


def test_an_uploaded_text_that_is_corrected_there_is_another_version_with_its_label_and_answers(running: Running, tmp_path: Path) -> None:
    client = Client(running.url, running.tokens["olga"], "lab")
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        archive.writestr("green/a.txt", "Gras is green.")
        archive.writestr("red/b.txt", "Roses are red.")
    client.upload(tmp_path / "files.zip", name="corrected", options={"freeze": True})
    client.wait_for_version("corrected", 1)
    client.request("POST", "/projects/lab/label-schemas", json={"name": "corrected", "dataset": "corrected", "xml": choices("Text")})
    here, there = running.client("olga"), running.client("sam")
    base = "/projects/lab/label-schemas/corrected"
    while client.request("GET", base)["fill_status"] != "ready":
        time.sleep(0.1)
    pair = Pair.__new__(Pair)
    pair.http = httpx.Client(base_url=f"{running.url}/api/v1{base}", headers={"Authorization": f"Bearer {running.tokens['olga']}"})
    ours = next(p.id for p in here.projects.list(title="corrected"))
    theirs = there.projects.create(title="corrected", label_config=choices("Text")).id
    wrong = next(t for t in here.tasks.list(project=ours) if t.data["it"] == "Gras is green.")
    here.annotations.create(id=wrong.id, result=said("good"))
    assert pair.http.put("/link", json={"url": running.url, "token": running.tokens["sam"], "remote": theirs}).status_code == 202
    pair.settled()
    there.tasks.update(id=next(t.id for t in there.tasks.list(project=theirs) if "Gras" in t.data["it"]), data={"it": "Grass is green."})
    link = pair.sync()
    assert (link["conflicts"], link["problems"], link["tasks"]) == ([], [], 2), link["message"]
    rows = client.request("GET", "/projects/lab/datasets/corrected/versions/2/rows")["rows"]
    assert {(row[0], row[1], row[2]) for row in rows} == {
        ("green/a.txt", "Grass is green.", "green"),
        ("red/b.txt", "Roses are red.", "red"),
    }
    now = {t.data["it"]: t for t in here.tasks.list(project=ours)}
    assert set(now) == {"Grass is green.", "Roses are red."} and now["Grass is green."].id == wrong.id
    assert len(now["Grass is green."].annotations) == 1, "it is the same item, and keeps what was said of it"
    assert "0 tasks came, 0 went" in pair.sync()["message"]
