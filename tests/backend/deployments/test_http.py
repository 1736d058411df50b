"""From a model version to an endpoint that answers, with the real predictor."""

from __future__ import annotations

import base64
import io
import itertools
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from django.db import DatabaseError, transaction
from PIL import Image

from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.core.auth import new_secret
from backend.core.ids import new_id
from backend.core.models import ApiToken, AuditEntry
from backend.deployments import actions
from backend.deployments.models import Deployment, LivePeriod, Prediction, TrafficSplit
from backend.registry.actions import register
from tests.backend.deployments.conftest import Predictor, until
from tests.backend.models import PARITY, flowers
from tests.backend.people import Person, person
from tests.workers.serving.models import brightness_model

ROW = {"length": 1.4, "width": 0.2}


def versions(owner: Person, folder: Path, count: int) -> None:
    for number in range(count):
        register(owner.project, owner.user, "Flowers", flowers(owner.project, folder / f"m{number}", offset=number).digest)


def shown(endpoint: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(d["model_version"], d["status"], d["weight"]) for d in endpoint["deployments"]]


def test_one_click_and_the_page_predicts_with_its_numbers_and_recent_requests(owner: Person, predictor: Predictor, tmp_path: Path) -> None:
    versions(owner, tmp_path, 1)
    predictor.start()
    made = owner.post("/endpoints", {"model": "Flowers"})
    assert (made["slug"], made["name"], made["status"], made["url"]) == (
        "flowers",
        "Flowers",
        "live",
        "https://predict.example/v1/lab/flowers/predict",
    )
    assert made["oip_url"] == "https://predict.example/v2/models/lab.flowers"
    assert shown(made) == [(1, "live", 100)] and made["manifest"]["input"]["columns"][0]["name"] == "length"
    assert owner.get("/models")[0]["endpoints"] == ["flowers"]
    viewer = person(owner.project, "viewer")
    answer = viewer.ask("POST", "/endpoints/flowers/predict", {"instances": [ROW, ROW]})
    assert answer.status_code == 200 and [p["label"] for p in answer.json()["predictions"]] == ["setosa", "setosa"]
    assert answer["x-model-version"] == "flowers@1" and answer["x-request-id"] == answer.json()["request_id"]
    wrong = viewer.post("/endpoints/flowers/predict", {"instances": [{"lenght": 1}]}, 422)["error"]
    assert wrong["problems"][0]["field"] == "instances.0.lenght"
    until(lambda: Prediction.objects.count() == 2)
    page = viewer.get("/endpoints/flowers/predictions?limit=1")
    assert page["items"][0]["status"] == 422 and page["items"][0]["deployment"] == made["current"]["id"]
    last = viewer.get(f"/endpoints/flowers/predictions?limit=1&cursor={page['next']}")
    assert last["items"][0]["output"][0]["label"] == "setosa" and last["next"] is None
    numbers = viewer.get("/endpoints")[0]
    assert (numbers["requests_per_minute"], numbers["predictions"], numbers["error_rate"]) == (2, 2, 0.5) and numbers["latency_ms_p50"] > 0
    traffic = viewer.get("/endpoints/flowers/traffic?minutes=15")
    assert (len(traffic["points"]), traffic["bucket_s"]) == (90, 10)
    assert (sum(p["requests"] for p in traffic["points"]), sum(p["errors"] for p in traffic["points"])) == (2, 1)
    assert viewer.get("/endpoints/flowers/traffic?minutes=0", 422)["error"]["field"] == "minutes"
    assert viewer.get("/endpoints/flowers/predictions?cursor=x", 422)["error"]["code"] == "bad_cursor"


def test_replacing_and_rolling_back_fail_no_request(owner: Person, predictor: Predictor, tmp_path: Path) -> None:
    versions(owner, tmp_path, 2)
    predictor.start()
    owner.post("/endpoints", {"model": "flowers@1"})
    seen: list[tuple[int, str]] = []
    over = threading.Event()

    def keep_asking() -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {owner.secret}"}, trust_env=False, timeout=20) as client:
            while not over.is_set():
                answer = client.post(f"{predictor.url}/v1/lab/flowers/predict", json={"instances": [ROW]})
                seen.append((answer.status_code, answer.headers.get("x-model-version", "")))

    asking = [threading.Thread(target=keep_asking) for _ in range(4)]
    for thread in asking:
        thread.start()
    try:
        replaced = owner.post("/endpoints", {"model": "flowers@2"})
        assert shown(replaced) == [(2, "live", 100), (1, "stopped", 0)]
        until(lambda: seen[-1][1] == "flowers@2")
        back = owner.post("/endpoints/flowers/rollback", {}, 200)
        assert shown(back) == [(2, "stopped", 0), (1, "live", 100)]
        until(lambda: seen[-1][1] == "flowers@1")
        again = owner.post("/endpoints/flowers/rollback", {"deployment": back["deployments"][0]["id"]}, 200)
        assert again["current"]["model_version"] == 2
    finally:
        over.set()
        for thread in asking:
            thread.join()
    assert {status for status, _ in seen} == {200} and {label for _, label in seen} == {"flowers@1", "flowers@2"}
    refused = owner.post("/endpoints/flowers/rollback", {"deployment": again["current"]["id"]}, 409)["error"]
    assert refused["code"] == "already_answers"
    past = owner.get("/endpoints/flowers/live-history")["items"]
    assert [(p["model_version"], p["until"] is None) for p in past] == [(2, True), (1, False), (2, False), (1, False)]
    assert all(earlier["until"] == later["since"] for later, earlier in itertools.pairwise(past)), "one answered at every moment"
    assert past[-1]["since"] < past[1]["since"] == back["current"]["live_at"], "a roll back does not rewrite when it was live before"
    for period in past:
        soon = datetime.fromisoformat(period["since"]) + timedelta(milliseconds=1)  # what is told is cut to milliseconds
        assert owner.get(f"/endpoints/flowers/live-history?at={quote(soon.isoformat())}")["items"] == [period]
    for long_ago in ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00-22:15", "0001-01-01T00:00:00%2B05:00"):
        assert owner.get(f"/endpoints/flowers/live-history?at={long_ago}")["items"] == []
    with pytest.raises(DatabaseError, match="not changed"), transaction.atomic():
        LivePeriod.objects.exclude(until=None).update(until=None)
    assert [e.details["to"] for e in AuditEntry.objects.filter(action__startswith="endpoint.").order_by("id")] == [
        "flowers@1", "flowers@2", "flowers@1", "flowers@2",
    ]  # fmt: skip


def test_a_model_that_does_not_load_changes_nothing_for_callers_even_when_the_predictor_starts_anew(
    owner: Person, predictor: Predictor, tmp_path: Path
) -> None:
    versions(owner, tmp_path, 1)
    broken = tmp_path / "broken"
    (tmp_path / "m0").rename(broken)
    (broken / "model.onnx").unlink()
    (broken / "model.onnx").write_bytes(b"not a model")
    from backend.artifacts.actions import create_artifact
    from backend.artifacts.storage import store

    register(owner.project, owner.user, "Flowers", create_artifact(owner.project, "Model", store().put_folder(broken)).digest)
    predictor.start()
    owner.post("/endpoints", {"model": "flowers@1"})
    tried = owner.post("/endpoints", {"model": "flowers@2"})
    assert shown(tried) == [(2, "failed", 0), (1, "live", 100)]
    assert tried["deployments"][0]["message"] and tried["status"] == "live" and tried["current"]["model_version"] == 1
    assert TrafficSplit.objects.order_by("-created_at").first().reason == "returned: the new one failed"
    predictor.stop()
    assert owner.post("/endpoints/flowers/predict", {"instances": [ROW]}, 503)["error"]["code"] == "predictor_away"
    predictor.start()
    until(lambda: owner.ask("POST", "/endpoints/flowers/predict", {"instances": [ROW]}).status_code == 200)
    refused = owner.post("/endpoints/flowers/rollback", {"deployment": tried["deployments"][0]["id"]}, 409)["error"]
    assert refused["code"] == "cannot_answer_again"
    assert owner.post("/endpoints/flowers/rollback", {}, 409)["error"]["code"] == "nothing_to_roll_back_to"


def test_deploying_while_the_predictor_is_away_comes_true_when_it_is_back_and_repeats_make_no_second_one(
    owner: Person, predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "WAIT_S", 0.2)
    versions(owner, tmp_path, 2)
    key = {"Idempotency-Key": "one"}
    made = owner.post("/endpoints", {"model": "flowers@1", "endpoint": "garden"}, 201, **key)
    assert made["status"] == "starting" and shown(made) == [(1, "starting", 0)]
    assert owner.post("/endpoints", {"model": "flowers@1", "endpoint": "garden"}, 201, **key) == made
    secret, digest, prefix = new_secret()
    ApiToken.objects.create(user=owner.user, project=owner.project, name="step", token_hash=digest, prefix=prefix, step_run=new_id())
    step = Person(owner.user, secret, owner.project)
    for _ in range(2):
        step.post("/endpoints", {"model": "flowers@2", "endpoint": "garden"})
    assert Deployment.objects.count() == 2
    predictor.start()
    until(lambda: owner.get("/endpoints/garden")["status"] == "live")
    assert shown(owner.get("/endpoints/garden")) == [(2, "live", 100), (1, "stopped", 0)]
    assert owner.ask("DELETE", "/endpoints/garden").status_code == 204
    until(
        lambda: (
            httpx.post(
                f"{predictor.url}/v1/lab/garden/predict", headers={"Authorization": f"Bearer {owner.secret}"}, json={"instances": [ROW]}
            ).status_code
            == 404
        )
    )
    assert owner.get("/endpoints") == [] and owner.get("/endpoints/garden")["status"] == "stopped"
    assert all(period["until"] for period in owner.get("/endpoints/garden/live-history")["items"]), "a deleted endpoint answers nobody"
    owner.post("/endpoints/garden/predict", {"instances": [ROW]}, 404)
    owner.post("/endpoints/garden/restore", {}, 200)
    until(lambda: owner.ask("POST", "/endpoints/garden/predict", {"instances": [ROW]}).status_code == 200)


def test_who_may_not_deploy_is_told_so_and_what_is_not_there_is_not_found(owner: Person) -> None:
    editor = person(owner.project, "editor")
    assert editor.post("/endpoints", {"model": "flowers"}, 403)["error"]["code"] == "not_allowed"
    missing = owner.post("/endpoints", {"model": "flowers@3"}, 404)["error"]
    assert missing["field"] == "model"
    owner.get("/endpoints/none", 404)


def test_the_pictures_people_asked_about_are_shown_and_no_other_ones(owner: Person, predictor: Predictor, tmp_path: Path) -> None:
    artifact = create_artifact(owner.project, "Model", store().put_folder(brightness_model(tmp_path / "light")))
    register(owner.project, owner.user, "Light", artifact.digest, parity=PARITY)
    predictor.start()
    owner.post("/endpoints", {"model": "light"})
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (240, 240, 240)).save(buffer, "PNG")
    asked = {"instances": [{"image": base64.b64encode(buffer.getvalue()).decode()}]}
    answer = owner.ask("POST", "/endpoints/light/predict", asked)
    assert answer.json()["predictions"][0]["label"] == "bright"
    until(lambda: Prediction.objects.exists())
    kept = Prediction.objects.get()
    seen = owner.ask("GET", f"/endpoints/light/predictions/{kept.pk}/images/0")
    assert seen.status_code == 200 and seen["Content-Type"] == "image/webp"
    assert owner.ask("GET", f"/endpoints/light/predictions/{kept.pk}/images/1").status_code == 404

    # A caller of a model for rows writes its own input: a digest in it must not open the store.
    versions(owner, tmp_path, 1)
    owner.post("/endpoints", {"model": "Flowers"})
    stolen = [{"note": "x", "image": store().put_bytes(buffer.getvalue()).digest}]
    owner.ask("POST", "/endpoints/flowers/predict", {"instances": stolen})
    until(lambda: Prediction.objects.count() == 2)
    other = Prediction.objects.exclude(pk=kept.pk).get()
    assert other.input == stolen
    assert owner.ask("GET", f"/endpoints/flowers/predictions/{other.pk}/images/0").status_code == 404
