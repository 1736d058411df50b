"""Every template is a pipeline that would run, checked against the real components and real data set versions."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.text import slugify

from backend.core.models import Project
from backend.datasets.models import Dataset, DatasetVersion
from backend.datasets.samples import SAMPLES
from backend.pipelines.actions.create import bring
from backend.pipelines.gallery import FOLDER, templates
from backend.pipelines.queries import check_graph
from tests.backend.people import Person
from workers.sdk.graph import to_yaml

COLUMNS = {
    "income": {
        "integer": ["age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"],
        "category": ["workclass", "education", "marital_status", "occupation", "relationship", "race", "sex", "native_country", "income"],
    },
    "bikes": {
        "datetime": ["time"],
        "integer": ["season", "day", "hr", "holiday", "weekday", "workingday", "casual", "registered", "bikers"],
        "category": ["mnth", "weathersit"],
        "number": ["temp", "atemp", "hum", "windspeed"],
    },
    "mails": {"text": ["subject", "message"], "category": ["list"]},
    "mentions": {"text": ["text"], "json": ["entities"]},
    "digits": {"image": ["image"]},
    "scenes": {"image": ["image"]},
}
PICTURES = ("digits", "scenes")


def dataset(project: Project, slug: str, modality: str, columns: dict[str, list[str]], status: str = "frozen") -> None:
    held = Dataset.objects.create(project=project, slug=slug, name=slug, modality=modality)
    shape = [{"name": name, "type": kind, "nullable": True} for kind, names in columns.items() for name in names]
    DatasetVersion.objects.create(dataset=held, number=1, status=status, columns=shape)


@pytest.mark.parametrize("slug", [file.stem for file in sorted(FOLDER.glob("*.yaml"))])
def test_a_template_has_no_problem_but_the_data_set_that_is_still_to_be_chosen(editor: Person, slug: str) -> None:
    project = editor.project
    for name, columns in COLUMNS.items():
        # Called what the demo calls them: then a template reads what is there, unless another data set is chosen.
        dataset(project, slugify(SAMPLES[name].name), "images" if name in PICTURES else "table", columns)
    template = templates()[slug]
    problems = check_graph(project, bring(project, editor.user, template))["problems"]
    left = [(p["code"], p["step"], p["parameter"]) for p in problems]
    assert left == ([] if template.demo else [("missing_parameter", "read", "dataset")]), problems
    assert (template.demo in SAMPLES) if template.demo else True
    body = (FOLDER / f"{slug}.yaml").read_text(encoding="utf-8").partition("\n---\n")[2]
    texts = [to_yaml(template.graph), *(to_yaml(**text._asdict()) for text in template.brings.values())]
    assert body.splitlines() == "---\n".join(texts).splitlines(), "the file is in the canonical form"


PATTERNS = {
    "grid": "income",
    "shards": "bikes",
    "condition": "income",
    "rounds": "bikes",
    "approval": "income",
    "compensation": "income",
    "nested": "income",
}


@pytest.mark.parametrize(("slug", "data"), PATTERNS.items())
def test_a_template_of_a_pattern_fits_the_real_data_that_it_brings(editor: Person, slug: str, data: str) -> None:
    assert templates()[slug].demo == data, "one click starts it"
    dataset(editor.project, data, "table", COLUMNS[data])
    parameters = {"read": {"dataset": f"{data}@latest"}}
    made = editor.post("/pipelines", {"name": "Ours", "template": slug, "parameters": parameters})
    graph = editor.get(f"/pipelines/{made['slug']}/draft")["graph"]
    assert graph["steps"]["read"]["parameters"]["dataset"] == f"{data}@latest"
    assert editor.post("/pipelines/check", graph, 200)["problems"] == []


def test_a_template_brings_the_pipelines_it_uses_once_and_leaves_others_of_that_name_alone(editor: Person) -> None:
    editor.post("/pipelines", {"name": "Clean, split and prepare", "graph": {"steps": {}}})
    first, second = (editor.post("/pipelines", {"name": name, "template": "nested"})["slug"] for name in ("One", "Two"))
    used = [editor.get(f"/pipelines/{slug}/draft")["graph"]["steps"]["ready"]["component"] for slug in (first, second)]
    assert used == ["pipeline:clean-split-and-prepare-2@1"] * 2
    listed = {p["slug"]: p["latest_version"] for p in editor.get("/pipelines")["items"]}
    assert listed == {"clean-split-and-prepare": None, "clean-split-and-prepare-2": 1, first: None, second: None}
    refused = editor.post("/pipelines", {"name": "Three", "template": "nested", "parameters": {"reed": {"dataset": "x@1"}}}, 422)["error"]
    assert refused["field"] == "parameters.reed" and "Its steps: evaluate, read, ready" in refused["hint"]
    assert len(editor.get("/pipelines")["items"]) == 4


def test_a_new_pipeline_starts_from_a_template(editor: Person) -> None:
    listed = editor.get("/templates")
    assert [t["slug"] for t in listed] == [
        "digits", "income", "bikes", "mails", "scenes", "mentions", "table-classification", "table-regression", "text-classification",
        "image-classification", "object-detection", "span-tagging", "grid", "shards", "condition", "rounds", "approval", "compensation",
        "nested",
    ]  # fmt: skip
    made = editor.post("/pipelines", {"name": "Ours", "template": "digits"})
    assert made["steps"] == len(listed[0]["graph"]["steps"]) and made["slug"] == "ours"


def test_check_uses_this_projects_data_and_says_what_would_be_right(editor: Person) -> None:
    dataset(editor.project, "wine", "table", {"number": ["alcohol", "acidity"]})
    dataset(editor.project, "raw-wine", "table", {"number": ["alcohol"]}, status="draft")
    dataset(editor.project, "labels", "images", {})

    def told(text: str, columns: list[str]) -> list[tuple[str, str]]:
        graph: dict[str, Any] = {
            "steps": {
                "read": {"component": "read_table", "parameters": {"dataset": text}},
                "pick": {
                    "component": "select_columns",
                    "parameters": {"columns": columns},
                    "inputs": {"table": [{"step": "read", "output": "table"}]},
                },
            }
        }
        found = editor.post("/pipelines/check", graph, 200)
        assert ("schemas" in found) and (
            [c["name"] for c in found["schemas"].get("pick", {}).get("table", [])] == columns or found["problems"]
        )
        return [(p["code"], p["hint"]) for p in found["problems"]]

    assert told("wine@latest", ["acidity"]) == []
    assert told("wine@1", ["Acidity"]) == [("unknown_column", "Did you mean “acidity”?")]
    assert told("wines@latest", []) == [("unknown_dataset", "Did you mean “wine@latest”?")]
    assert [code for code, _ in told("raw-wine@1", [])] == ["unknown_dataset"]
    assert told("labels@1", [])[0][0] == "wrong_modality"
