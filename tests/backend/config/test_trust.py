"""What people fear of a studio that many share: that others see or change what is theirs, and that a file attacks who opens it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.config.api import api
from backend.core.auth import new_secret
from backend.core.ids import new_id
from backend.core.models import ApiToken, AuditEntry, Membership, Project
from backend.datasets.tasks import read_upload
from tests.backend.config.furnish import Furnished, right
from tests.backend.datasets.conftest import Uploader, zipped
from tests.backend.people import Person, person

PROJECT = "/api/v1/projects/{project}"
ROUTES = [
    (method.upper(), path)
    for path, operations in api.get_openapi_schema()["paths"].items()
    for method in operations
    if path.startswith(PROJECT)
]
BY_ID = [(method, path) for method, path in ROUTES if "{" in path[len(PROJECT) :] and (method, path) != ("POST", PROJECT + "/demos/{slug}")]
"""Routes that lead to one thing; a demo is started by its name, which is the same in every project."""
READS = {
    "/label-schemas/check", "/pipelines/check", "/pipelines/parse", "/endpoints/{endpoint}/predict",
    "/datasets/{dataset}/spaces/{space}/items",
}  # fmt: skip
"""What is asked with POST and changes nothing."""
PERSONAL = {f"/label-schemas/{{label_schema}}/quality/{part}" for part in ("disagreements", "settings", "honeypots")}
"""How well people do their work is for those who review it."""

pytestmark = pytest.mark.django_db


def ask(method: str, path: str, secret: str, furnished: Furnished, project: str) -> Any:
    """The right request of that route, in the words of `project` but about the things of the furnished one."""
    given = right(furnished).get(f"{method} {path[len(PROJECT) :]}", [{}])[0]
    there = {**furnished.paths, "user_id": str(furnished.owner.user.pk), "invitation_id": str(new_id()), **given.get("path", {})}
    query = "&".join(f"{k}={v}" for k, v in given.get("query", {}).items())
    body = given.get("body", {})
    raw = isinstance(body, bytes)
    data = body if raw else json.dumps({**body, "base": 0} if "base" in body else body)
    return Client().generic(
        method, path.format(**{**there, "project": project}) + (f"?{query}" if query else ""), data if method != "GET" else "",
        content_type="application/octet-stream" if raw else "application/json", headers={"Authorization": f"Bearer {secret}"},
    )  # fmt: skip


def rows() -> dict[str, int]:
    """How much there is of everything, which nobody who is refused may change."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.split("_")[0] in ("core", "artifacts", "datasets", "labeling", "pipelines", "runs", "registry", "deployments"):
                cursor.execute(f'SELECT count(*) FROM "{table}"')
                found[table] = cursor.fetchone()[0]
    return found


def token(person: Person, **fields: Any) -> str:
    secret, digest, prefix = new_secret()
    ApiToken.objects.create(user=person.user, name="t", token_hash=digest, prefix=prefix, **fields)
    return secret


def test_nothing_of_a_project_is_found_from_another_one_by_its_id(furnished: Furnished) -> None:
    stranger = person(Project.objects.create(slug="other", name="Other"), "owner")
    before = rows()
    for method, path in BY_ID:
        # Writing a secret's name makes one of the project asked about: in the stranger's own that is no other's.
        for project in ("lab",) if (method, path[len(PROJECT) :]) == ("PUT", "/secrets/{name}") else ("other", "lab"):
            answer = ask(method, path, stranger.secret, furnished, project)
            assert answer.status_code in ((404,) if "members/" not in path else (404, 422)), (method, path, project, answer.content[:300])
    assert rows() == before


def test_what_another_project_has_cannot_be_used_by_naming_it_in_a_request(furnished: Furnished) -> None:
    stranger = person(Project.objects.create(slug="other", name="Other"), "owner")
    at = furnished.paths
    before = rows()
    for path, body, status in (
        ("/runs", {"pipeline": at["pipeline"]}, 404),
        ("/endpoints", {"model": "flowers@1"}, 404),
        ("/models", {"model": "Mine", "artifact": at["model_digest"], "parity": {"largest_difference": 0}}, 422),
        ("/uploads", {"filename": "a.csv", "size": 3, "dataset": at["dataset"]}, 404),
    ):
        answer = stranger.ask("POST", path, body)
        assert answer.status_code in (404, status), (path, answer.content)
    assert stranger.ask("GET", f"/runs/compare?ids={at['run_id']},{at['queued_run']}").status_code == 404
    graph = {"steps": {"read": {"component": "read_table", "parameters": {"dataset": "weather@1"}}}}
    checked = stranger.post("/pipelines/check", graph, 200)
    assert any("weather" in p["message"] for p in checked["problems"]) and not checked["schemas"].get("read", {}).get("table")
    assert rows() == before


def test_a_viewer_reads_everything_and_writes_nowhere(furnished: Furnished) -> None:
    viewer = person(furnished.owner.project, "viewer")
    before = rows()
    for method, path in ROUTES:
        answer = ask(method, path, viewer.secret, furnished, "lab")
        rest = path[len(PROJECT) :]
        if method != "GET" and rest not in READS:
            assert answer.status_code == 403, (method, path, answer.status_code, answer.content[:300])
        elif rest.startswith("/secrets") or rest in PERSONAL:
            assert answer.status_code == 403, (method, path, answer.status_code)
        elif rest not in ("/members", "/invitations", "/audit"):
            assert answer.status_code in (200, 503), (method, path, answer.content[:300])  # 503: no predictor runs here
    assert rows() == before


def test_the_token_of_a_step_reaches_its_own_project_only_and_ends_with_its_time(furnished: Furnished) -> None:
    """Even where the person who started the run owns the other project too."""
    owner = furnished.owner
    other = Project.objects.create(slug="other", name="Other")
    Membership.objects.create(project=other, user=owner.user, role="owner")
    step = token(owner, project=other, step_run=new_id(), expires_at=timezone.now() + timedelta(hours=1))
    before = rows()
    for method, path in ROUTES:
        answer = ask(method, path, step, furnished, "lab")
        assert answer.status_code == 404, (method, path, answer.status_code, answer.content[:300])
    http, headers = Client(), {"Authorization": f"Bearer {step}"}
    for path, body in (("/projects", {"name": "Mine"}), ("/tokens", {"name": "forever"}), ("/me/password", {})):
        assert http.post(f"/api/v1{path}", json.dumps(body), "application/json", headers=headers).status_code == 403
    assert rows() == before
    assert http.get("/api/v1/projects/other", headers=headers).status_code == 200
    ended = token(owner, project=other, step_run=new_id(), expires_at=timezone.now() - timedelta(seconds=1))
    revoked = token(owner, revoked_at=timezone.now())
    for bad in (ended, revoked):
        assert http.get("/api/v1/projects/other", headers={"Authorization": f"Bearer {bad}"}).status_code == 401


def is_harmless(answer: Any) -> None:
    """Never guessed at, never a page of ours; shown in place only when it is a picture of points."""
    assert answer.status_code == 200, answer.content[:300]
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
    kind, shown = answer["Content-Type"], answer["Content-Disposition"]
    assert not any(word in kind for word in ("html", "svg", "xml", "javascript")), kind
    assert shown.startswith("attachment") or kind in ("image/png", "image/jpeg", "image/webp"), (kind, shown)


def test_a_file_that_somebody_uploaded_does_not_run_in_the_browser_of_who_opens_it(furnished: Furnished, tmp_path: Path) -> None:
    owner = furnished.owner
    evil = b"<html><script>alert(document.cookie)</script></html>"
    folder = tmp_path / "m"
    folder.mkdir()
    names = ["page.html", "page.HTM", "picture.svg", "x.xhtml", "x.xml", "code.js", "x.png", "no-ending", "card.md", "x.pdf"]
    for name in names:
        (folder / name).write_bytes(evil)
    artifact = create_artifact(owner.project, "Model", store().put_folder(folder))
    for name in names:
        is_harmless(owner.ask("GET", f"/artifacts/{artifact.pk}/files/{name}"))
    for kind in furnished.artifacts.values():
        is_harmless(owner.ask("GET", f"/artifacts/{kind}/download"))
    for html in ("text/html", "image/svg+xml", "application/xhtml+xml", "TEXT/HTML; charset=utf-8"):
        stored = store().put_bytes(evil + html.encode(), html)
        is_harmless(owner.ask("GET", f"/artifacts/{create_artifact(owner.project, 'Blob', stored).pk}/download"))
    upload = Uploader(owner)
    sent = upload.send(zipped({"a/one.txt": evil, "b/two.txt": b"plain"}), "texts.zip", name="Texts")
    read_upload(sent["id"])
    assert owner.get("/datasets/texts")["modality"] == "text"
    is_harmless(owner.ask("GET", "/datasets/texts/versions/1/items/0/file"))
    for where in (
        "shapes/versions/1/items/0/file",
        "shapes/versions/1/items/0/file?thumbnail=true",
        "weather/versions/1/download?format=csv",
    ):
        is_harmless(owner.ask("GET", f"/datasets/{where}"))


@pytest.mark.parametrize(
    "path",
    [
        "../manifest.json", "..%2f..%2fetc/passwd", "%2e%2e/%2e%2e/secret", "..%5c..%5csecret", "/etc/passwd", "%2fetc%2fpasswd",
        "manifest.json/..", "./manifest.json", "manifest.json%00.png", "sub/../../manifest.json", "C:%5csecret", "~/.ssh/id_rsa",
    ],
)  # fmt: skip
def test_no_address_leads_out_of_an_artifact(path: str, furnished: Furnished) -> None:
    for artifact in furnished.artifacts.values():
        answer = furnished.owner.ask("GET", f"/artifacts/{artifact}/files/{path}")
        assert answer.status_code in (400, 404, 422), (path, answer.status_code, answer.content[:300])


def test_a_digest_alone_opens_nothing(furnished: Furnished) -> None:
    """The store is shared by all projects; who guesses or was told a digest has no address to put it in."""
    digest = furnished.paths["model_digest"]
    for path in (f"/artifacts/{digest}", f"/artifacts/{digest}/download", f"/artifacts/{furnished.artifacts['Model']}/files/{digest}"):
        assert furnished.owner.ask("GET", path).status_code == 404
    assert not AuditEntry.objects.filter(details__icontains="hr_").exists(), "no secret in the log"
