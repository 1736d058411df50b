"""Scripts that were written for Label Studio, with its own SDK, against a studio of real processes."""

from __future__ import annotations

import base64
import io
import json

import httpx
import pytest
from label_studio_sdk.client import LabelStudio
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.data_manager import Column, Filters, Operator, Type
from PIL import Image

from tests.backend.labelstudio.conftest import CHOICES, PICTURE, Clients, Running, Server, mood


def refused(status: int, call: object, *given: object, **named: object) -> dict:  # type: ignore[type-arg]  # JSON
    with pytest.raises(ApiError) as error:
        call(*given, **named)  # type: ignore[operator]  # a method of the SDK
    assert error.value.status_code == status, error.value.body
    return error.value.body if isinstance(error.value.body, dict) else {}


def test_a_script_of_every_day(sdk: Clients) -> None:
    ls = sdk()
    assert ls.users.whoami().email == "olga@lab.example"
    assert ls.versions.get().edition == "Community"
    project = ls.projects.create(title="Reviews", label_config=CHOICES, description="Of films", color="#00FF00")
    ours = ls.projects.get(project.id)
    assert (ours.title, ours.description, ours.color, ours.task_number) == ("Reviews", "Of films", "#00FF00", 0)
    assert ours.get_label_interface().get_control("mood").labels == ["good", "bad"]
    assert project.id in [one.id for one in ls.projects.list()]

    tasks = [{"data": {"text": f"Film {n}", "year": 1990 + n, "tags": ["a"]}} for n in range(5)]
    tasks[0]["predictions"] = [{"model_version": "v1", "score": 0.9, "result": mood("good")}]  # type: ignore[assignment]  # JSON
    tasks[1]["annotations"] = [{"result": mood("bad"), "lead_time": 4.5}]  # type: ignore[assignment]  # as above
    tasks[2]["meta"] = {"from": "disk"}  # type: ignore[assignment]  # as above
    done = ls.projects.import_tasks(project.id, request=tasks, return_task_ids=True)
    assert (done.task_count, done.annotation_count, done.predictions_count) == (5, 1, 1)
    listed = list(ls.tasks.list(project=project.id, page_size=2))
    assert [t.id for t in listed] == done.task_ids, "a page of two, and a 404 behind the last"
    assert listed[0].data == {"text": "Film 0", "year": 1990, "tags": ["a"]}
    assert listed[0].predictions[0].result[0]["value"] == {"choices": ["good"]}
    assert listed[1].is_labeled and listed[1].annotations[0]["lead_time"] == 4.5
    assert listed[2].meta == {"from": "disk"}
    assert list(ls.tasks.list(project=ls.projects.create(title="Empty", label_config=CHOICES).id)) == []

    one = ls.tasks.create(project=project.id, data={"text": "Film 5"})
    ls.tasks.update(id=one.id, data={"text": "Film five"})
    assert ls.tasks.get(id=one.id).data == {"text": "Film five"}
    annotation = ls.annotations.create(id=one.id, result=mood("good"), lead_time=2)
    assert ls.annotations.list(id=one.id)[0].id == annotation.id
    assert ls.annotations.update(id=annotation.id, result=mood("bad")).result[0]["value"] == {"choices": ["bad"]}
    assert ls.annotations.get(id=annotation.id).completed_by == ls.users.whoami().id
    predicted = ls.predictions.create(task=one.id, result=mood("good"), score=0.5, model_version="v2")
    assert [p.id for p in ls.predictions.list(task=one.id)] == [predicted.id]
    assert ls.predictions.update(id=predicted.id, score=0.7).score == 0.7
    ls.predictions.delete(id=predicted.id)

    exported = ls.projects.exports.as_json(project.id)
    assert len(exported) == 6 and exported[1]["annotations"][0]["result"][0]["value"] == {"choices": ["bad"]}
    frame = ls.projects.exports.as_pandas(project.id)
    assert sorted(frame["mood"]) == ["bad", "bad"] and sorted(frame["text"]) == ["Film 1", "Film five"]
    snapshot = ls.projects.exports.create(project.id, title="Monday")
    assert [s.id for s in ls.projects.exports.list(project.id)] == [snapshot.id]
    kept = json.loads(b"".join(ls.projects.exports.download(id=project.id, export_pk=snapshot.id)))
    assert [t["id"] for t in kept] == [t["id"] for t in exported]

    ls.annotations.delete(id=annotation.id)
    assert ls.tasks.get(id=one.id).annotations == []
    ls.tasks.delete(id=one.id)
    assert refused(404, ls.tasks.get, id=one.id)["detail"]
    assert "mood.bad" in refused(400, ls.projects.update, project.id, label_config=CHOICES.replace("bad", "poor"))["validation_errors"]
    more = CHOICES.replace("</Choices>", '<Choice value="so-so"/></Choices>')
    changed = ls.projects.update(project.id, title="Films", maximum_annotations=2, label_config=more)
    assert (changed.title, changed.maximum_annotations, changed.label_config) == ("Films", 2, more)
    ls.projects.delete(project.id)
    refused(404, ls.projects.get, project.id)


def test_views_and_filters_choose_the_same_tasks_as_there(sdk: Clients) -> None:
    ls = sdk()
    project = ls.projects.create(title="Filtered", label_config=CHOICES)
    ls.projects.import_tasks(project.id, request=[{"text": f"Film {n}"} for n in range(4)])
    chosen = Filters.create(Filters.OR, [Filters.item(Column.data("text"), Operator.EQUAL, Type.String, Filters.value("Film 2")),
                                        Filters.item(Column.data("text"), Operator.CONTAINS, Type.String, Filters.value("3"))])  # fmt: skip
    view = ls.views.create(project=project.id, data={"title": "Some", "filters": chosen, "ordering": ["-tasks:id"]})  # type: ignore[arg-type]  # JSON
    assert [t.data["text"] for t in ls.tasks.list(view=view.id, project=project.id)] == ["Film 3", "Film 2"]
    assert [v.id for v in ls.views.list(project=project.id)] == [view.id]
    asked = json.dumps({"filters": {"conjunction": "and", "items": [{"filter": "filter:tasks:id", "operator": "colour", "value": 1}]}})
    body = refused(400, lambda: list(ls.tasks.list(project=project.id, query=asked)))
    assert "colour" in body["detail"], "a filter that is not followed is refused, never left out"


def test_a_refresh_token_is_exchanged_and_ends_with_the_token(running: Running) -> None:
    refresh = running.client("ann").tokens.create().token  # type: ignore[attr-defined]  # in the answer
    assert refresh.count(".") == 2
    ls = LabelStudio(base_url=running.url, api_key=refresh)
    assert ls.users.whoami().email == "ann@lab.example"
    assert "." in ls._client_wrapper._tokens_client.api_key, "what is sent is an access token"
    forged = refresh.rsplit(".", 1)[0] + "." + base64.urlsafe_b64encode(b"hr_" + b"x" * 43).rstrip(b"=").decode()
    assert refused(401, LabelStudio(base_url=running.url, api_key=forged).users.whoami)["detail"]
    assert refused(401, LabelStudio(base_url=running.url, api_key="hr_nobody").users.whoami)["detail"]


def test_people_share_a_task_and_nobody_takes_a_place_too_many(sdk: Clients) -> None:
    ls = sdk()
    project = ls.projects.create(title="Two of each", label_config=CHOICES, maximum_annotations=2)
    (task,) = ls.projects.import_tasks(project.id, request=[{"text": "Shared"}], return_task_ids=True).task_ids
    body = refused(400, sdk("ann").annotations.create, id=task, result=mood("awful"))
    assert "result.0.value" in next(iter(body["validation_errors"])), body
    first = sdk("ann").annotations.create(id=task, result=mood("good"))
    assert refused(400, sdk("ann").annotations.create, id=task, result=mood("bad"))["detail"]
    sdk("bob").annotations.create(id=task, result=mood("bad"))
    assert "2 people" in refused(400, sdk("cem").annotations.create, id=task, result=mood("bad"))["detail"]
    assert len(ls.annotations.list(id=task)) == 2
    refused(403, sdk("bob").annotations.delete, id=first.id)
    refused(403, sdk("vera").annotations.create, id=task, result=mood("bad"))
    refused(403, sdk("ann").projects.import_tasks, project.id, request=[{"text": "More"}])
    assert "lab" not in str(refused(404, sdk("sam").tasks.get, id=task)), "a stranger does not learn of the project"
    two = [{"data": {"text": "x"}, "annotations": [{"result": mood("good")}, {"result": mood("bad")}]}]
    assert "once" in str(refused(400, ls.projects.import_tasks, project.id, request=two))
    named = [
        {
            "data": {"text": "x"},
            "annotations": [
                {"result": mood(m), "completed_by": who} for m, who in (("good", "ann@lab.example"), ("bad", "bob@lab.example"))
            ],
        }
    ]
    assert ls.projects.import_tasks(project.id, request=named).annotation_count == 2


def test_what_is_wrong_is_said_as_there(running: Running, sdk: Clients) -> None:
    ls = sdk()
    project = ls.projects.create(title="Wrong", label_config=CHOICES)
    body = refused(400, ls.projects.import_tasks, project.id, request=[{"text": "right"}, {"txt": "wrong"}])
    assert '"text" key is expected' in str(body["validation_errors"]["tasks.1.data"])
    assert list(ls.tasks.list(project=project.id)) == [], "all of them or none"
    assert "label_config" in refused(400, ls.projects.create, title="Bad", label_config="<View><Chat/></View>")["validation_errors"]
    head = {"Authorization": f"Token {running.tokens['olga']}"}
    nowhere = httpx.get(f"{running.url}/api/annotation-reviews/", headers=head)
    assert (nowhere.status_code, "detail" in nowhere.json()) == (404, True)
    assert httpx.get(f"{running.url}/api/v1/nowhere").json()["error"]["code"] == "route_not_found", "our own API keeps its shape"
    assert httpx.put(f"{running.url}/api/projects/{project.id}/", headers=head).status_code == 405


def test_pictures_come_with_their_tasks(running: Running, sdk: Clients) -> None:
    ls = sdk()
    out = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(out, "PNG")
    project = ls.projects.create(title="Heads", label_config=PICTURE)
    inline = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    (task,) = ls.projects.import_tasks(project.id, request=[{"image": inline, "camera": "left"}], return_task_ids=True).task_ids
    found = ls.tasks.get(id=task).data
    assert found["camera"] == "left"
    picture = httpx.get(found["image"], headers={"Authorization": f"Token {running.tokens['ann']}"})
    assert (picture.content, picture.headers["content-type"]) == (out.getvalue(), "image/png")
    box = {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["Head"]}
    region = {"from_name": "box", "to_name": "image", "type": "rectanglelabels", "original_width": 20, "original_height": 10, "value": box}
    assert sdk("ann").annotations.create(id=task, result=[region]).result[0]["value"]["width"] == 50
    assert "picture" in str(refused(400, ls.projects.import_tasks, project.id, request=[{"image": "/etc/passwd"}]))


def test_an_ml_backend_and_a_webhook_work_unchanged(sdk: Clients, server: Server) -> None:
    ls = sdk()
    project = ls.projects.create(title="Predicted", label_config=CHOICES)
    ls.projects.import_tasks(project.id, request=[{"text": "Good film"}, {"text": "Bad film"}])
    server.answers["/setup"] = lambda body: (200, {"model_version": "words-1"})

    def predict(body: dict) -> tuple[int, dict]:  # type: ignore[type-arg]  # JSON
        told = [{"result": mood("good" if "Good" in t["data"]["text"] else "awful"), "score": 0.8} for t in body["tasks"]]
        return 200, {"results": told, "model_version": "words-1"}

    server.answers["/predict"] = predict
    backend = ls.ml.create(project=project.id, url=server.url, title="Words", is_interactive=True)
    assert (backend.readable_state, backend.model_version) == ("Connected", "words-1")
    asked = server.of("/setup")[0]
    assert asked["project"].startswith(f"{project.id}.") and "<Choices" in asked["schema"]
    server.wait("/predict")
    reader = {"Authorization": f"Token {asked['access_token']}"}
    base = ls._client_wrapper.get_base_url()
    assert httpx.get(f"{base}/api/tasks/?project={project.id}", headers=reader).status_code == 200, "the backend may read its project"
    assert httpx.get(f"{base}/api/projects/", headers=reader).status_code == 403, "and nothing else"
    while not (found := [t for t in ls.tasks.list(project=project.id) if t.predictions]):
        pass
    assert [t.data["text"] for t in found] == ["Good film"], "what does not fit the label config is left out"
    assert found[0].predictions[0].model_version == "words-1"

    hook = ls.webhooks.create(
        project=project.id, url=f"{server.url}/hook", headers={"X-Key": "k"}, send_for_all_actions=False, actions=["ANNOTATION_CREATED"]
    )  # type: ignore[call-arg]  # as scripts do
    sdk("ann").annotations.create(id=found[0].id, result=mood("good"))
    told = server.wait("/hook")
    assert (told["action"], told["project"]["id"], told["task"]["id"]) == ("ANNOTATION_CREATED", project.id, found[0].id)
    assert told["annotation"]["result"][0]["value"] == {"choices": ["good"]}
    assert server.wait("/webhook", lambda body: body["action"] == "ANNOTATION_CREATED")["annotation"]["id"] == told["annotation"]["id"]
    assert next(h for where, h, _ in server.got if where == "/hook")["X-Key"] == "k"
    ls.ml.train(backend.id)
    server.wait("/webhook", lambda body: body["action"] == "START_TRAINING")
    ls.webhooks.delete(id=hook.id)
    server.answers["/health"] = lambda body: (503, {})
    assert "health" in str(refused(400, ls.ml.create, project=project.id, url=server.url))
