"""A frozen data set of a few pictures or of a small table, label schemas on it, and people who label."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from backend.core.models import Project
from backend.labeling.actions.fill import fill
from backend.labeling.actions.measure import measure
from backend.labeling.models import LabelSchema
from tests.backend.datasets.conftest import Uploader, image, zipped
from tests.backend.people import Person, person

PICTURES = """<View>
  <Header value="What is it?"/>
  <Image name="image" value="$image"/>
  <Choices name="kind" toName="image" required="true"><Choice value="cat"/><Choice value="dog"/></Choices>
  <RectangleLabels name="box" toName="image"><Label value="Head"/><Label value="Tail"/></RectangleLabels>
</View>"""
WORDS = """<View>
  <Text name="text" value="$review"/>
  <Choices name="mood" toName="text"><Choice value="good"/><Choice value="bad"/></Choices>
  <Labels name="part" toName="text"><Label value="Thing"/><Label value="Place"/></Labels>
</View>"""


class Labs:
    """What the tests ask for again and again."""

    def __init__(self, editor: Person) -> None:
        self.editor, self.upload = editor, Uploader(editor)

    def pictures(self, count: int = 4, **fields: Any) -> str:
        files = {f"{n:03}.png": image((n * 7 % 256, n // 36, 9), (20, 10)) for n in range(count)}
        found: str = self.upload.ready(zipped(files), "pets.zip", options={"freeze": True}, **fields)["dataset"]
        return found

    def table(self) -> str:
        rows = b"id,review\n1,The food in Rome was good\n2,Never again\n1,The food in Rome was good\n"
        found: str = self.upload.ready(rows, "reviews.csv", options={"freeze": True})["dataset"]
        return found

    def schema(self, dataset: str, xml: str = PICTURES, **fields: Any) -> str:
        made = self.editor.post("/label-schemas", {"name": "Pets", "dataset": dataset, "xml": xml, **fields})
        self.fill(made["slug"])
        slug: str = made["slug"]
        return slug

    def fill(self, slug: str) -> None:
        fill(LabelSchema.objects.get(slug=slug).pk)


@pytest.fixture(autouse=True)
def _store(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_URL = str(tmp_path / "artifacts")
    settings.DATA_DIR = tmp_path


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.create(slug="lab", name="Lab")


@pytest.fixture
def labs(project: Project) -> Labs:
    return Labs(person(project, "editor"))


@pytest.fixture
def ann(project: Project) -> Person:
    return person(project, "annotator", "ann@lab.example")


@pytest.fixture
def bob(project: Project) -> Person:
    return person(project, "annotator", "bob@lab.example")


@pytest.fixture
def rita(project: Project) -> Person:
    return person(project, "reviewer", "rita@lab.example")


def measured(who: Person, schema: str) -> dict[str, Any]:
    """Quality, measured anew."""
    who.post(f"/label-schemas/{schema}/quality", None, 202)
    measure(LabelSchema.objects.get(slug=schema).pk)
    told: dict[str, Any] = who.get(f"/label-schemas/{schema}/quality")
    assert told["status"] == "ready", told["message"]
    return told


def choice(value: str, name: str = "kind", to: str = "image") -> dict[str, Any]:
    return {"id": uuid.uuid4().hex[:12], "from_name": name, "to_name": to, "type": "choices", "value": {"choices": [value]}}


def box(x: float, y: float, width: float, height: float, label: str = "Head") -> dict[str, Any]:
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]}
    return {"id": uuid.uuid4().hex[:12], "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": value}


def take(who: Person, schema: str, holding: list[int] | None = None) -> dict[str, Any] | None:
    found: dict[str, Any] | None = who.post(f"/label-schemas/{schema}/next", {"holding": holding or []}, 200)["item"]
    return found


def say(who: Person, schema: str, item: int, result: list[dict[str, Any]], status: int = 200, **fields: Any) -> Any:
    body = {"id": str(uuid.uuid4()), "schema_version": 1, "result": result, "seconds": 3.5, **fields}
    return who.post(f"/label-schemas/{schema}/items/{item}/submit", body, status)
