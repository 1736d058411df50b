"""Label → train → suggest → accept, on scanned digits with real workers: the model improves, and its curve lies beside random order's."""

from __future__ import annotations

import io
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from sklearn.datasets import load_digits

from tests.e2e.browser import until
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from workers.sdk.client import Client

Json = dict[str, Any]
EVERY, TEST, DIGITS = 30, 80, 420
CHOICES = (
    '<Choices name="digit" toName="shown" required="true">' + "".join(f'<Choice value="{n}"/>' for n in range(10)) + "</Choices></View>"
)


def step(component: str, parameters: Json | None = None, **inputs: str) -> Json:
    wires = {port: [dict(zip(("step", "output"), wire.split("."), strict=True))] for port, wire in inputs.items()}
    return {"component": component, "parameters": parameters or {}, "inputs": wires}


REGISTER = step("register_model", {"name": "Digits"}, model="train.model")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Digits as pictures, or as rows of a table with a column for each dot; what trains on them."""

    file: str
    shown: str
    training: Json
    write: Callable[[Path], dict[str, str]]


def pictures(path: Path) -> dict[str, str]:
    """A zip of digits whose names do not tell what they are; {name: digit}."""
    bundle, answers = load_digits(), {}
    with zipfile.ZipFile(path, "w") as out:
        for n in range(DIGITS):
            file = io.BytesIO()
            Image.fromarray((bundle.images[n] * 15.9).astype(np.uint8)).save(file, "PNG")
            answers[f"{n:04}.png"] = str(bundle.target[n])
            out.writestr(f"{n:04}.png", file.getvalue())
    return answers


def table(path: Path) -> dict[str, str]:
    """The same as rows; {name: digit}."""
    bundle = load_digits()
    rows = [f"n{n},{','.join(str(int(dot)) for dot in bundle.data[n])}" for n in range(DIGITS)]
    path.write_text("\n".join([",".join(["name", *(f"dot{d}" for d in range(64))]), *rows]))
    return {f"n{n}": str(bundle.target[n]) for n in range(DIGITS)}


IMAGES = Kind(
    file="digits.zip",
    shown='<View><Image name="shown" value="$image"/>',
    training={
        "steps": {
            "read": step("read_images", {"dataset": ""}),
            "train": step(
                "train_image_classifier", {"epochs": 40, "batch_size": 16, "patience": 0, "augment": "none"}, train="read.images"
            ),
            "register": REGISTER,
        }
    },
    write=pictures,
)
ROWS = Kind(
    file="digits.csv",
    shown='<View><Text name="shown" value="$name"/>',
    training={
        "steps": {
            "read": step("read_table", {"dataset": ""}),
            "prepare": step("prepare_features", {"leave_out": ["name"]}, train="read.table"),
            "train": step("train_linear", {"task": "classification"}, recipe="prepare.recipe", train="read.table"),
            "register": REGISTER,
        }
    },
    write=table,
)


class Desk:
    """An annotator who knows the answers, over the API."""

    def __init__(self, client: Client, slug: str, answers: dict[str, str]) -> None:
        self.client, self.answers = client, answers
        self.base = f"/projects/{client.project}/label-schemas/{slug}"
        self.suggested: list[bool] = []

    def ask(self, method: str, path: str, body: Json | None = None) -> Any:
        return self.client.request(method, self.base + path, **({"json": body} if body is not None else {}))

    def label(self, count: int) -> int:
        """Accept the suggestion where it is right, else say what is; returns how many there were to do."""
        for done in range(count):
            item = self.ask("POST", "/next", {})["item"]
            if item is None:
                return done
            answer = self.answers[item["data"].get("name") or item["key"]]
            result = [{"id": "a", "from_name": "digit", "to_name": "shown", "type": "choices", "value": {"choices": [answer]}}]
            if item["suggestions"]:
                said = item["suggestions"][0]["result"]
                self.suggested.append(said[0]["value"] == result[0]["value"])
                result = said if self.suggested[-1] else result
            body = {"id": str(uuid.uuid4()), "schema_version": 1, "result": result, "seconds": 2.0}
            self.ask("POST", f"/items/{item['id']}/submit", body)
        return count

    def loop(self) -> Json:
        found: Json = self.ask("GET", "/loop")["loop"]
        return found

    def until(self, holds: Callable[[Json], bool], seconds: float = 900) -> Json:
        end = time.monotonic() + seconds
        while not holds(found := self.loop()):
            failed = [r["message"] for r in found["rounds"] if r["status"] == "failed"]
            assert not failed, failed
            assert time.monotonic() < end, found
            time.sleep(0.5)
        return found


SLOW = (pytest.mark.slow, pytest.mark.timeout(1800))
"""Four networks are trained and published, in half a minute each."""


def succeeded(found: Json) -> list[Json]:
    return [r for r in found["rounds"] if r["status"] == "succeeded"]


@pytest.mark.parametrize("kind", [pytest.param(ROWS, id="rows"), pytest.param(IMAGES, id="images", marks=SLOW)])
def test_the_loop_improves_a_model_and_shows_its_curve_beside_random_order(
    kind: Kind, fresh_project: Client, tmp_path: Path, open_page: Any
) -> None:
    answers = kind.write(tmp_path / kind.file)
    dataset = bring(fresh_project, tmp_path / kind.file, "Scanned digits")
    base = f"/projects/{fresh_project.project}/label-schemas"
    made = {"name": "Which digit", "dataset": dataset, "xml": kind.shown + CHOICES, "review_share": 0.0}
    slug = fresh_project.request("POST", base, json=made)["slug"]
    filled(fresh_project, slug)
    training = fresh_project.create_pipeline("Digits", graph=kind.training)["slug"]
    desk = Desk(fresh_project, slug, answers)
    assert training in [one["slug"] for one in desk.ask("GET", "/loop")["candidates"]]

    desk.ask("PUT", "/loop", {"pipeline": training, "every": EVERY, "test_size": TEST, "draws": 1})
    desk.label(EVERY + TEST)
    assert not desk.suggested, "nothing is suggested for what models are measured on"
    first = desk.until(lambda found: len(succeeded(found)) == 1)
    assert (first["labels"], first["test_labelled"]) == (EVERY, TEST)

    desk.label(EVERY)
    assert len(desk.suggested) == EVERY, "the first model said what it thinks"
    desk.until(lambda found: len(succeeded(found)) == 2)
    rounds = succeeded(desk.until(lambda found: len(found["random"]) == 2))
    assert [(r["labels"], r["tested"], r["model_version"]) for r in rounds] == [(EVERY, TEST, 1), (2 * EVERY, TEST, 2)]
    assert rounds[1]["accuracy"] > rounds[0]["accuracy"], rounds
    assert all(r["low"] <= r["accuracy"] <= r["high"] and r["dataset_version"] for r in rounds)
    random = desk.loop()["random"]
    assert [(point["labels"], point["draws"]) for point in random] == [(EVERY, 1), (2 * EVERY, 1)]
    assert all(0.2 < point["accuracy"] <= 1 and point["tested"] == TEST + EVERY - point["labels"] for point in random), random

    (told,) = desk.ask("GET", "/suggestions/outcomes")
    assert (told["model_version"], told["total"], told["accepted"]) == ("digits@1", EVERY, sum(desk.suggested))
    setting = {"enabled": True, "threshold": 0.95, "audit_share": 0.1, "max_error": 0.2}
    desk.ask("PUT", "/auto-accept", setting)
    end = time.monotonic() + 60
    while (auto := desk.ask("GET", "/auto-accept"))["status"] != "ready":
        assert time.monotonic() < end, auto
        time.sleep(0.2)
    (passed,) = auto["passes"]
    assert passed["accepted"] > 0 and passed["audited"] > 0 and auto["audit"]["waiting"] == passed["audited"]
    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/labels/{slug}?tab=learn")
    expect(page.get_by_role("img", name="Right answers by number of labels")).to_be_visible()
    expect(page.get_by_text("Random order: the same pipeline")).to_be_visible()
    until(page, "Boolean(document.querySelector('.js-plotly-plot')?.data)")
    drawn = page.evaluate("document.querySelector('.js-plotly-plot').data.map((line) => [line.name, line.x.length])")
    assert drawn == [["Least sure first", 2], ["Random order", 2]]
    audit = page.get_by_role("region", name="Labels without a person")
    expect(audit.get_by_text("nobody has labelled an audited item yet")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Its models, suggestions and curve stay.")).to_be_visible()
    assert desk.loop()["active"] is False
    assert watch.errors == []
