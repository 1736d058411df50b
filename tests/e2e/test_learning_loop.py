"""Label → train → suggest → accept, on scanned digits and on texts with real workers: the model improves, its curve lies beside random
order's, and what it learned of texts answers a sentence that somebody types."""

from __future__ import annotations

import csv
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
from playwright.sync_api import Page, expect
from sklearn.datasets import load_digits

from tests.e2e.browser import until
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from tests.texts import docstrings
from workers.sdk.client import Client

Json = dict[str, Any]
TEST, DIGITS, TEXTS = 80, 420, 480
TOPICS = ("asyncio", "email", "unittest")


def choices(values: list[str]) -> str:
    offered = "".join(f'<Choice value="{value}"/>' for value in values)
    return f'<Choices name="said" toName="shown" required="true">{offered}</Choices></View>'


DIGIT = choices([str(n) for n in range(10)])


def step(component: str, parameters: Json | None = None, **inputs: str) -> Json:
    wires = {port: [dict(zip(("step", "output"), wire.split("."), strict=True))] for port, wire in inputs.items()}
    return {"component": component, "parameters": parameters or {}, "inputs": wires}


REGISTER = step("register_model", {"name": "Digits"}, model="train.model")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Digits as pictures, or as rows of a table with a column for each dot; texts as rows, or as files. What trains on them (None: what the
    studio offers for such data), the model that it registers, how many labels make a round, and how often it is right at the least."""

    file: str
    xml: str
    training: Json | None
    model: str = "digits"
    every: int = 30
    least: float = 0.2
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


def said() -> list[tuple[str, str]]:
    """What functions say of themselves, and of which package they are; no longer than a queue shows, by which the desk knows them."""
    return [row for row in docstrings() if row[1] in TOPICS and len(row[0]) <= 2000][:TEXTS]


def messages(path: Path) -> dict[str, str]:
    """A table of texts; {text: package}."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerows([("number", "text"), *((f"m{n}", text) for n, (text, _) in enumerate(said()))])
    return dict(said())


def files(path: Path) -> dict[str, str]:
    """The same, a file each; {name: package}."""
    with zipfile.ZipFile(path, "w") as out:
        for n, (text, _) in enumerate(said()):
            out.writestr(f"{n:04}.txt", text)
    return {f"{n:04}.txt": package for n, (_, package) in enumerate(said())}


IMAGES = Kind(
    file="digits.zip",
    xml='<View><Image name="shown" value="$image"/>' + DIGIT,
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
    xml='<View><Text name="shown" value="$name"/>' + DIGIT,
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
TALK = '<View><Text name="shown" value="$text"/>' + choices(list(TOPICS))
MESSAGES = Kind(file="messages.csv", xml=TALK, training=None, model="my-text-classifier", every=50, least=0.45, write=messages)
FILES = Kind(file="messages.zip", xml=TALK, training=None, model="my-text-classifier", every=50, least=0.45, write=files)


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
            data = item["data"]
            answer = next(self.answers[known] for known in (data.get("name"), data.get("text"), item["key"]) if known in self.answers)
            result = [{"id": "a", "from_name": "said", "to_name": "shown", "type": "choices", "value": {"choices": [answer]}}]
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


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(ROWS, id="rows"),
        pytest.param(MESSAGES, id="texts"),
        pytest.param(FILES, id="text files", marks=pytest.mark.slow),
        pytest.param(IMAGES, id="images", marks=SLOW),
    ],
)
def test_the_loop_improves_a_model_and_shows_its_curve_beside_random_order(
    kind: Kind, fresh_project: Client, tmp_path: Path, open_page: Any
) -> None:
    answers, every = kind.write(tmp_path / kind.file), kind.every
    dataset = bring(fresh_project, tmp_path / kind.file, "What is looked at")
    base = f"/projects/{fresh_project.project}/label-schemas"
    made = {"name": "Which one", "dataset": dataset, "xml": kind.xml, "review_share": 0.0}
    slug = fresh_project.request("POST", base, json=made)["slug"]
    filled(fresh_project, slug)
    desk = Desk(fresh_project, slug, answers)
    if kind.training is None:
        trains = {"template": desk.ask("GET", "/loop")["template"]}
        assert trains["template"] == "text-classification"
    else:
        trains = {"pipeline": fresh_project.create_pipeline("Digits", graph=kind.training)["slug"]}
        assert trains["pipeline"] in [one["slug"] for one in desk.ask("GET", "/loop")["candidates"]]

    desk.ask("PUT", "/loop", {**trains, "every": every, "test_size": TEST, "draws": 1})
    desk.label(every + TEST)
    assert not desk.suggested, "nothing is suggested for what models are measured on"
    first = desk.until(lambda found: len(succeeded(found)) == 1)
    assert (first["labels"], first["test_labelled"]) == (every, TEST)

    desk.label(every)
    assert len(desk.suggested) == every, "the first model said what it thinks"
    desk.until(lambda found: len(succeeded(found)) == 2)
    rounds = succeeded(desk.until(lambda found: len(found["random"]) == 2))
    assert [(r["labels"], r["tested"], r["model_version"]) for r in rounds] == [(every, TEST, 1), (2 * every, TEST, 2)]
    assert all(r["accuracy"] > kind.least for r in rounds) and (kind.training is None or rounds[1]["accuracy"] > rounds[0]["accuracy"]), (
        rounds
    )
    assert all(r["low"] <= r["accuracy"] <= r["high"] and r["dataset_version"] for r in rounds)
    random = desk.loop()["random"]
    assert [(point["labels"], point["draws"]) for point in random] == [(every, 1), (2 * every, 1)]
    assert all(kind.least < point["accuracy"] <= 1 and point["tested"] == TEST + every - point["labels"] for point in random), random

    (told,) = desk.ask("GET", "/suggestions/outcomes")
    assert (told["model_version"], told["total"], told["accepted"]) == (f"{kind.model}@1", every, sum(desk.suggested))
    setting = {"enabled": True, "threshold": 0.95 if kind.training else 0.6, "audit_share": 0.1, "max_error": 0.2}
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
    if kind.training is None:
        ask(page, fresh_project, kind)
    assert watch.errors == []


def ask(page: Page, client: Client, kind: Kind) -> None:
    """Its newest model is deployed, somebody types a sentence, also an empty one, and reads a label with probabilities."""
    client.deploy(f"{kind.model}@2", endpoint="topics")
    page.goto(f"/p/{client.project}/endpoints/topics")
    asked = page.get_by_label("text", exact=True)
    expect(asked).to_have_js_property("tagName", "TEXTAREA")
    expect(page.get_by_text("Free text, of which the first 10,000 characters are read")).to_be_visible()
    answer = page.get_by_test_id("answer")
    for text in ("Parse the header of an e-mail message\nand return its address.", "", "メールのヘッダー 🙈 <b>header</b>"):
        asked.fill(text)
        with page.expect_response(lambda response: response.url.endswith("/predict")) as told:
            page.get_by_role("button", name="Predict").click()
        (first,) = told.value.json()["predictions"]
        assert set(first["probabilities"]) == set(TOPICS) and abs(sum(first["probabilities"].values()) - 1) < 1e-5
        if text.startswith("Parse"):
            assert first["label"] == "email"
        expect(answer.get_by_text(first["label"], exact=True).first).to_be_visible()
