"""The predictor as its users meet it: a process of its own, real PostgreSQL and Valkey, real ONNX models, HTTP."""

from __future__ import annotations

import base64
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from backend.artifacts.models import Artifact
from backend.core.auth import new_secret
from backend.core.models import ApiToken, Membership, Project, User
from backend.deployments.models import Deployment, Endpoint, Prediction, TrafficSplit
from backend.deployments.passing import sign
from backend.registry.models import Model, ModelVersion
from tests.workers.serving.models import brightness_model, flower_model
from workers.sdk.store import Store

pytestmark = pytest.mark.django_db(transaction=True)


class Studio:
    """A predictor process on this test's database, and the rows that the studio would have written."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.store = Store(str(folder / "artifacts"))
        self.user = User.objects.create_user("ann@example.org", "x")
        self.project = Project.objects.create(slug="garden", name="Garden")
        Membership.objects.create(project=self.project, user=self.user, role="viewer")
        secret, digest, prefix = new_secret()
        self.token = ApiToken.objects.create(user=self.user, name="t", prefix=prefix, token_hash=digest)
        self.client = httpx.Client(headers={"Authorization": f"Bearer {secret}"}, trust_env=False, timeout=20)
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        settings = connection.settings_dict
        environment = {
            **os.environ,
            "DATABASE_URL": f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}",
            "ARTIFACT_URL": str(self.folder / "artifacts"),
            "HEADRACE_DATA_DIR": str(self.folder),
        }
        self.process = subprocess.Popen([sys.executable, "-m", "workers.serving", "--port", str(self.port)], env=environment)
        self.until(lambda: self.client.get(self.url + "/healthz").status_code == 200)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(15)
            self.process = None

    def until(self, condition: Any) -> None:
        for _ in range(200):
            try:
                if condition():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError("waited 20 s in vain")

    def version(self, model_folder: Path, name: str) -> ModelVersion:
        stored = self.store.put_folder(model_folder)
        artifact, _ = Artifact.objects.get_or_create(
            project=self.project, kind="Model", digest=stored.digest, defaults={"size": stored.size}
        )
        model, _ = Model.objects.get_or_create(project=self.project, slug=name, defaults={"name": name})
        return ModelVersion.objects.create(model=model, number=model.versions.count() + 1, artifact=artifact, manifest={})

    def deploy(self, version: ModelVersion, endpoint: str) -> Deployment:
        row, _ = Endpoint.objects.get_or_create(project=self.project, slug=endpoint, defaults={"name": endpoint})
        deployment = Deployment.objects.create(endpoint=row, model_version=version)
        row.split = TrafficSplit.objects.create(endpoint=row, weights=[{"deployment": str(deployment.id), "weight": 100}])
        row.save()
        return deployment

    def predict(self, endpoint: str, instances: Any, **kwargs: Any) -> httpx.Response:
        return self.client.post(f"{self.url}/v1/garden/{endpoint}/predict", json={"instances": instances}, **kwargs)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path)
    yield made
    made.stop(signal.SIGKILL)
    made.client.close()


ROW = {"length": 1.4, "width": 0.2}


def test_rows_are_answered_and_what_is_wrong_with_them_is_named(studio: Studio, tmp_path: Path) -> None:
    deployment = studio.deploy(studio.version(flower_model(tmp_path / "m"), "flowers"), "flowers")
    studio.start()
    answer = studio.predict("flowers", [ROW, {"length": 5.5, "width": 2.1, "note": "late"}], headers={"x-request-id": "mine-1"})
    assert answer.status_code == 200, answer.text
    assert [p["label"] for p in answer.json()["predictions"]] == ["setosa", "virginica"]
    assert sum(answer.json()["predictions"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine-1"
    assert answer.headers["x-model-version"] == "flowers@1"

    refused = studio.predict("flowers", [ROW, {"lenght": 1, "width": 1}]).json()["error"]
    assert refused["problems"][0]["field"] == "instances.1.lenght" and "length" in refused["problems"][0]["expected"]
    refused = studio.predict("flowers", [{"length": "long", "width": None}]).json()["error"]
    assert {p["field"] for p in refused["problems"]} == {"instances.0.length", "instances.0.width"}
    for body, status in [(b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"instances": [], "x": 1}', 422), (b'{"instances": [1]}', 422)]:
        assert studio.client.post(f"{studio.url}/v1/garden/flowers/predict", content=body).status_code == status, body
    too_large = studio.client.post(f"{studio.url}/v1/garden/flowers/predict", content=b"x" * (33 * 1024 * 1024))
    assert too_large.status_code == 413
    assert studio.client.get(f"{studio.url}/v1/garden/flowers/predict").status_code == 405
    assert studio.predict("nothing", [ROW]).status_code == 404

    studio.until(lambda: Prediction.objects.filter(status=200).exists() and Prediction.objects.filter(status=422).count() >= 2)
    kept = Prediction.objects.get(request_id="mine-1")
    assert kept.rows == 2 and kept.input[0] == ROW and kept.output[1]["label"] == "virginica" and kept.deployment_id == deployment.id
    deployment.refresh_from_db()
    assert deployment.status == "live" and deployment.live_at is not None


def test_only_members_get_an_answer_and_a_revoked_token_gets_none(studio: Studio, tmp_path: Path) -> None:
    studio.deploy(studio.version(flower_model(tmp_path / "m"), "flowers"), "flowers")
    studio.start()
    where = f"{studio.url}/v1/garden/flowers/predict"
    assert httpx.post(where, json={"instances": [ROW]}, trust_env=False).status_code == 401
    secret, digest, prefix = new_secret()
    ApiToken.objects.create(user=User.objects.create_user("eve@example.org", "x"), name="t", prefix=prefix, token_hash=digest)
    stranger = httpx.post(where, json={"instances": [ROW]}, headers={"Authorization": f"Bearer {secret}"}, trust_env=False)
    assert stranger.status_code == 404, "a stranger must not learn that the endpoint exists"
    assert studio.predict("flowers", [ROW]).status_code == 200
    ApiToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    studio.until(lambda: studio.predict("flowers", [ROW]).status_code == 401)


def test_a_token_answers_only_where_it_may_and_nobody_can_pretend_to_be_the_studio(studio: Studio, tmp_path: Path) -> None:
    studio.deploy(studio.version(flower_model(tmp_path / "m"), "flowers"), "flowers")
    studio.start()
    elsewhere = Project.objects.create(slug="elsewhere", name="Elsewhere")
    Membership.objects.create(project=elsewhere, user=studio.user, role="owner")
    now = timezone.now()

    def status(headers: dict[str, str | bytes]) -> int:
        where = f"{studio.url}/v1/garden/flowers/predict"
        return httpx.post(where, json={"instances": [ROW]}, headers=headers, trust_env=False).status_code

    for fields, wanted in (
        ({"project": studio.project}, 200),
        ({"project": studio.project, "step_run": uuid.uuid4(), "expires_at": now + timedelta(hours=1)}, 200),
        ({"project": elsewhere}, 404),
        ({"project": elsewhere, "step_run": uuid.uuid4()}, 404),
        ({"step_run": uuid.uuid4()}, 404),
        ({"expires_at": now - timedelta(seconds=1)}, 401),
    ):
        secret, digest, prefix = new_secret()
        ApiToken.objects.create(user=studio.user, name="t", prefix=prefix, token_hash=digest, **fields)
        assert status({"Authorization": f"Bearer {secret}"}) == wanted, fields
    good = sign(studio.user, "/v1/garden/flowers/predict")
    seconds, user, signature = good.split(":")
    assert status({"X-Headrace-Internal": good}) == 200
    for forged in (
        sign(studio.user, "/v1/garden/other/predict"),
        f"{int(seconds) - 3600}:{user}:{signature}",
        f"{seconds}:{uuid.uuid4()}:{signature}",
        f"{seconds}:{user}:{'0' * 64}",
        f"{seconds}:{user}:é".encode("latin-1"),
        "²:a:b".encode("latin-1"),
        "::",
    ):
        assert status({"X-Headrace-Internal": forged}) == 401, forged


def test_an_image_is_answered_as_base64_and_as_plain_bytes(studio: Studio, tmp_path: Path) -> None:
    from PIL import Image

    studio.deploy(studio.version(brightness_model(tmp_path / "m"), "brightness"), "light")
    studio.start()
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), (250, 250, 250)).save(buffer, "PNG")
    picture = buffer.getvalue()
    answer = studio.predict("light", [{"image": base64.b64encode(picture).decode()}])
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["label"] == "bright"
    plain = studio.client.post(f"{studio.url}/v1/garden/light/predict", content=picture, headers={"Content-Type": "image/png"})
    assert plain.json()["predictions"] == answer.json()["predictions"]
    refused = studio.predict("light", [{"image": base64.b64encode(picture[:60]).decode()}, {"image": "%%%"}, {}])
    assert [p["field"] for p in refused.json()["error"]["problems"]] == [f"instances.{i}.image" for i in range(3)]
    studio.until(lambda: Prediction.objects.filter(status=200).exists())
    kept = Prediction.objects.filter(status=200).first()
    assert kept is not None and studio.store.read(kept.input[0]["image"]) == picture, "the picture must be there for labelling later"


def test_the_open_inference_protocol_speaks_tensors(studio: Studio, tmp_path: Path) -> None:
    studio.deploy(studio.version(flower_model(tmp_path / "m"), "flowers"), "flowers")
    studio.start()
    here = f"{studio.url}/v2/models/garden.flowers"
    assert [i["name"] for i in studio.client.get(here).json()["inputs"]] == ["length", "width", "note"]
    assert studio.client.get(here + "/versions/1/ready").json()["ready"] is True
    tensors = [
        {"name": "length", "shape": [2, 1], "datatype": "FP32", "data": [1.4, 5.5]},
        {"name": "width", "shape": [2], "datatype": "FP32", "data": [0.2, 2.1]},
    ]
    answer = studio.client.post(here + "/infer", json={"id": "q", "inputs": tensors}).json()
    assert answer["id"] == "q" and answer["model_version"] == "1"
    outputs = {o["name"]: o for o in answer["outputs"]}
    assert outputs["label"]["data"] == ["setosa", "virginica"] and outputs["probabilities"]["shape"] == [2, 3]
    tensors[1]["shape"] = [3]
    assert studio.client.post(here + "/infer", json={"inputs": tensors}).json()["error"]["field"] == "inputs.width.shape"
    assert studio.client.get(here + "/versions/9").status_code == 404


def test_replacing_a_model_under_load_fails_no_request(studio: Studio, tmp_path: Path) -> None:
    studio.deploy(studio.version(flower_model(tmp_path / "a"), "flowers"), "flowers")
    studio.start()
    seen: list[tuple[int, str]] = []
    stop = threading.Event()

    def ask() -> None:
        with httpx.Client(headers=dict(studio.client.headers), trust_env=False, timeout=20) as client:
            while not stop.is_set():
                answer = client.post(f"{studio.url}/v1/garden/flowers/predict", json={"instances": [ROW]})
                seen.append((answer.status_code, answer.headers.get("x-model-version", "")))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    second = studio.deploy(studio.version(flower_model(tmp_path / "b", offset=1), "flowers"), "flowers")
    studio.until(lambda: Deployment.objects.get(pk=second.pk).status == "live" and seen[-1][1] == "flowers@2")
    broken = tmp_path / "broken"
    flower_model(broken)
    (broken / "model.onnx").write_bytes(b"not a graph")
    third = studio.deploy(studio.version(broken, "flowers"), "flowers")
    studio.until(lambda: Deployment.objects.get(pk=third.pk).status == "failed")
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in seen} == {200}, "a request failed while models were swapped"
    assert {label for _, label in seen} == {"flowers@1", "flowers@2"} and seen[-1][1] == "flowers@2"
    assert Deployment.objects.get(pk=third.pk).message


def test_predictions_made_while_the_database_refuses_them_are_kept_over_a_restart(studio: Studio, tmp_path: Path) -> None:
    studio.deploy(studio.version(flower_model(tmp_path / "m"), "flowers"), "flowers")
    studio.start()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE deployments_prediction RENAME TO away")
        assert studio.predict("flowers", [ROW], headers={"x-request-id": "while-away"}).status_code == 200
        studio.until(lambda: list((tmp_path / "spool" / "predictions").glob("*.jsonl")))
        studio.stop()
        cursor.execute("ALTER TABLE away RENAME TO deployments_prediction")
    studio.start()
    studio.until(lambda: Prediction.objects.filter(request_id="while-away").exists())
    assert Prediction.objects.filter(request_id="while-away").count() == 1
