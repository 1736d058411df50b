"""Who may do what over Label Studio's API, what becomes of imported tasks, and messages that do not arrive."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

import backend.labelstudio.api  # noqa: F401 - fills the table of routes
from backend.artifacts import tables
from backend.artifacts.storage import store
from backend.core.models import Membership, Project, Role, User
from backend.core.permissions import ACTIONS, may
from backend.labeling.actions.fill import fill
from backend.labeling.actions.queue import next_item
from backend.labeling.models import LabelSchema, QueueItem
from backend.labeling.queries.schemas import newest_wording
from backend.labelstudio.actions.delivering import PAUSES, deliver
from backend.labelstudio.actions.freezing import freeze_tasks
from backend.labelstudio.actions.importing import import_tasks
from backend.labelstudio.actions.projects import make_project
from backend.labelstudio.actions.tasks import annotate, remove_tasks, suggest
from backend.labelstudio.models import Backend, Delivery, Snapshot, View, Webhook
from backend.labelstudio.queries.subjects import ANNOTATION, counterpart_of, number
from backend.labelstudio.routes import ROUTES, Route
from tests.backend.core import people
from tests.backend.labelstudio.conftest import CHOICES, Server, mood


@pytest.fixture(autouse=True)
def _store(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_URL, settings.DATA_DIR = str(tmp_path / "artifacts"), tmp_path


class Ours:
    """A project of a script, with one of everything."""

    def __init__(self) -> None:
        self.owner = people.user("owner-of-ours@example.com")
        self.project = people.project("ours", owner=self.owner)
        self.schema = make_project(None, self.project, self.owner, {"title": "Moods", "label_config": CHOICES})
        self.number = counterpart_of(self.schema).pk
        self.tasks = self.bring([{"text": "one"}, {"text": "two", "year": 2}])

    def bring(self, rows: list[Any]) -> list[int]:
        found: list[int] = import_tasks(None, self.schema, self.owner, "owner", rows)["task_ids"]
        return found

    def item(self, n: int) -> QueueItem:
        return QueueItem.objects.select_related("schema__project", "schema__dataset", "assignment").get(pk=n)

    def say(self, n: int, who: User, value: str) -> UUID:
        made = annotate(None, self.item(n), who, {"result": mood(value)})
        assert made is not None
        return made.pk

    def everything(self) -> dict[str, int]:
        pk = self.say(self.tasks[0], self.owner, "good")
        suggestion = self.item(self.tasks[0]).suggestions.create(model_version="v", result=mood("good"))
        return {
            "project": self.number, "task": self.tasks[1], "annotation": number(ANNOTATION, pk), "prediction": suggestion.pk,
            "view": View.objects.create(schema=self.schema).pk,
            "webhook": Webhook.objects.create(project=self.project, schema=self.schema, url="http://127.0.0.1:9/", is_active=False).pk,
            "ml": Backend.objects.create(schema=self.schema, url="http://127.0.0.1:9").pk,
            "export": Snapshot.objects.create(schema=self.schema, digest=store().put_bytes(b"[]").digest, md5="0" * 32).pk,
        }  # fmt: skip


@pytest.fixture
def ours(db: None, monkeypatch: pytest.MonkeyPatch) -> Ours:
    """Label Studio's own parser needs seconds to load; the other tests ask it."""
    from backend.labeling import schema_xml
    from backend.labelstudio.actions import projects
    from workers.sdk.labels.config import from_json

    monkeypatch.setattr(projects, "read_xml", lambda xml, last_word: (from_json(schema_xml.read(xml, last_word=False)["config"]), []))
    return Ours()


def test_every_address_below_api_has_a_place_in_a_table_of_routes() -> None:
    known = {re.sub(r"<\w+>", "1", r.path).rstrip("/") for r in ROUTES}
    patterns = [p for p in get_resolver().url_patterns if str(p.pattern).startswith("^api/")]
    assert len(patterns) == len(known) + 1, "one for each, and one for what is not there"
    assert all(any(p.resolve(f"api/{path}") for p in patterns[:-1]) for path in known)
    assert get_resolver().resolve("/api/v1/me").func.__module__.startswith("ninja"), "our own API is not shadowed"
    for one in ROUTES:
        assert one.access in ACTIONS or one.access in ("public", "signed_in")
        assert bool(one.about) == (one.access in ACTIONS)


@pytest.mark.parametrize("one", [r for r in ROUTES if r.access != "public"], ids=lambda r: f"{r.method} {r.path}")
def test_who_is_refused_and_how(one: Route, ours: Ours) -> None:
    """Every route, every role, a stranger, nobody: the table of `core/permissions` and nothing else decides."""
    known = ours.everything()
    path = re.sub(r"<(\w+)>", lambda m: str(known.get(m[1], 10**6)), one.path)
    given = {"project": known["project"], "task": known["task"]}

    def status(secret: str, scheme: str = "Token") -> int:
        query = "&".join(f"{k}={v}" for k, v in given.items()) if one.method in ("GET", "DELETE") else ""
        body = {} if one.method in ("GET", "DELETE") else {"data": json.dumps(given), "content_type": "application/json"}
        headers = {"Authorization": f"{scheme} {secret}"} if secret else {}
        answer = Client(raise_request_exception=False).generic(one.method, f"/api/{path}?{query}", headers=headers, **body)  # type: ignore[arg-type]  # as in `people.Api`
        assert answer.status_code != 500, answer.content
        if answer.status_code >= 400:
            assert "detail" in answer.json()
        return int(answer.status_code)

    stranger = people.token(people.user("stranger@example.com"))
    assert status("") == 401
    assert status(stranger[:-1]) == 401
    if one.access not in ACTIONS:
        assert status(stranger) not in (401, 403) or one.path == "projects/"
        return
    assert status(stranger) == 404
    elsewhere = people.project("elsewhere")
    for role in Role:
        member = people.user(f"{role}@example.com")
        ours.project.memberships.create(user=member, role=role)
        assert status(people.token(member, project=elsewhere)) == 404, "a token bound to another project"
        assert status(people.token(member, step_run=UUID(int=1))) == 404, "a step's token without a project"
        if not may(role, one.access):
            assert status(people.token(member)) == 403, f"{role} may not {one.access}"
    assert status(people.token(ours.owner)) not in (401, 403)


def test_imported_tasks_become_one_version_and_keep_their_annotations(ours: Ours) -> None:
    ours.say(ours.tasks[0], ours.owner, "good")
    ours.bring([{"text": "three", "tags": ["x"]}])
    freeze_tasks(ours.number, at_once=True)
    dataset = ours.schema.dataset
    version = dataset.versions.get()
    assert (version.status, version.number, version.item_count) == ("frozen", 1, 3), "two imports, one version"
    assert [c["name"] for c in version.columns] == ["task", "text", "year", "tags"]
    assert tables.window(version.data, 0, 10).to_pydict()["text"] == ["one", "two", "three"]
    freeze_tasks(ours.number, at_once=True)
    assert dataset.versions.count() == 1, "nothing came: no other version"

    LabelSchema.objects.filter(pk=ours.schema.pk).update(fill_status="queued")
    fill(ours.schema.pk)
    items = list(QueueItem.objects.filter(schema=ours.schema).order_by("pk"))
    assert [i.removed or i.pending for i in items] == [False] * 3, "filling the queue finds the same items"
    assert items[0].truth is not None and items[2].data == {"text": "three", "tags": ["x"]}

    (late,) = ours.bring([{"text": "late"}])
    LabelSchema.objects.filter(pk=ours.schema.pk).update(fill_status="queued")
    fill(ours.schema.pk)
    assert not QueueItem.objects.get(pk=late).removed, "what waits for its version stays in the queue"
    remove_tasks(None, ours.schema, Q(pk=ours.tasks[1]))
    freeze_tasks(ours.number, at_once=True)
    newest = dataset.versions.order_by("-number")[0]
    assert tables.window(newest.data, 0, 10).to_pydict()["text"] == ["one", "three", "late"]
    assert QueueItem.objects.get(pk=ours.tasks[0]).truth is not None


def test_labels_of_imported_tasks_are_frozen_with_them(ours: Ours) -> None:
    from backend.labeling.actions.labelled import freeze_labels, run_labelled

    ours.say(ours.tasks[1], ours.owner, "bad")
    freeze_tasks(ours.number, at_once=True)
    run_labelled(freeze_labels(None, ours.project, ours.owner, ours.schema.slug, "").pk)
    newest = ours.schema.dataset.versions.order_by("-number")[0]
    assert tables.window(newest.data, 0, 10).to_pydict()["mood"] == [None, "bad"]
    LabelSchema.objects.filter(pk=ours.schema.pk).update(fill_status="queued")
    fill(ours.schema.pk)
    assert QueueItem.objects.filter(schema=ours.schema, removed=False).count() == 2, "the labelled version holds the same items"


def test_a_message_comes_again_and_not_for_ever(ours: Ours, server: Server, settings: Any) -> None:
    hook = Webhook.objects.create(project=ours.project, url=f"{server.url}/hook")
    ours.say(ours.tasks[0], ours.owner, "good")
    message = Delivery.objects.get()
    deliver(message.pk)
    message.refresh_from_db()
    assert (message.attempts, server.got) == (1, []) and "private network" in message.message, "nothing on a private network is called"
    settings.ALLOW_PRIVATE_CALLS = True
    server.answers["/hook"] = lambda body: (500, {})
    for _ in PAUSES:
        Delivery.objects.update(due_at=timezone.now())
        deliver(message.pk)
    message.refresh_from_db()
    assert message.status == "failed" and len(server.got) == len(PAUSES)
    Delivery.objects.update(status="queued", due_at=timezone.now())
    server.answers["/hook"] = lambda body: (204, {})
    deliver(message.pk)
    assert not Delivery.objects.exists()
    hook.refresh_from_db()
    assert hook.failures == 0


def test_a_script_that_may_mean_several_projects_is_asked_which(ours: Ours) -> None:
    people.project("second", owner=ours.owner)
    secret = people.token(ours.owner)
    body = {"data": json.dumps({"title": "X", "label_config": CHOICES}), "content_type": "application/json"}
    answer = Client().generic("POST", "/api/projects/", headers={"Authorization": f"Token {secret}"}, **body)  # type: ignore[arg-type]  # as above
    assert answer.status_code == 400 and "bound to one project" in answer.json()["detail"]
    bound = people.token(ours.owner, project=Project.objects.get(slug="second"))
    answer = Client().generic("POST", "/api/projects/", headers={"Authorization": f"Token {bound}"}, **body)  # type: ignore[arg-type]  # as above
    assert answer.status_code == 201
    assert newest_wording(LabelSchema.objects.get(project__slug="second")).xml == CHOICES


def test_an_annotator_does_not_tell_honeypots_apart_by_a_script(ours: Ours) -> None:
    annotator = people.user("annotator-of-ours@example.com")
    Membership.objects.create(project=ours.project, user=annotator, role=Role.ANNOTATOR)
    asked = {"headers": {"Authorization": f"Token {people.token(annotator)}"}}
    path = f"/api/tasks/{ours.tasks[0]}/"
    assert Client().get(path, **asked).status_code == 200  # type: ignore[arg-type]  # as above
    LabelSchema.objects.filter(pk=ours.schema.pk).update(honeypot_share=0.2)
    refused = Client().get(path, **asked)  # type: ignore[arg-type]  # as above
    assert refused.status_code == 403 and "browser" in refused.json()["detail"]


def test_what_a_model_is_least_sure_of_comes_first(ours: Ours) -> None:
    schema = make_project(None, ours.project, ours.owner, {"title": "Sure", "label_config": CHOICES, "sampling": "Uncertainty sampling"})
    said = [
        {"data": {"text": f"text {n}"}, "predictions": [{"result": mood("good"), "score": score}]} for n, score in enumerate((0.9, 0.2))
    ]
    sure, unsure, unseen = import_tasks(None, schema, ours.owner, "owner", [*said, {"data": {"text": "unseen"}}])["task_ids"]
    given: list[int] = []
    while (item := next_item(schema, ours.owner, given)) is not None:
        given.append(item)
    assert given == [unsure, sure, unseen]
    other = people.user("another-of-ours@example.com")
    suggest(ours.item(unseen), {"result": mood("good"), "score": 0.1})
    LabelSchema.objects.filter(pk=schema.pk).update(overlap=2)
    QueueItem.objects.filter(schema=schema).update(wanted=2, free=1)
    assert next_item(schema, other, []) == unseen, "it is the least sure now"
    assert next_item(schema, other, [unseen]) == unsure
