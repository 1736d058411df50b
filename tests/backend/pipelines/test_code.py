"""User-written code over HTTP: written, checked, published, used in a graph, deleted; and texts that mean no good."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from backend.core.models import AuditEntry, Project
from backend.pipelines.models import CodeVersion
from tests.backend.people import Person, person

pytestmark = pytest.mark.timeout(600)
Json = dict[str, Any]
HEAVY = '''import pandas as pd

def heavy(table: Table, *, least: Annotated[float, Field(description="The smallest weight that stays.", ge=0)] = 1.0) -> Table:
    """Keep the heavy rows

    Rows lighter than the limit are dropped.
    """
    frame = table.pandas()
    return Table.from_pandas(frame[frame["weight"] >= least], like=table)
'''


def graph(component: str, **parameters: Any) -> Json:
    wires = {"table": [{"step": "pick", "output": "table"}]}
    return {
        "steps": {
            "pick": {"component": "select_columns", "parameters": {"columns": ["weight"]}, "inputs": {}},
            "heavy": {"component": component, "parameters": parameters, "inputs": wires},
        }
    }


def problems(editor: Person, component: str, **parameters: Any) -> list[tuple[str, str | None]]:
    found = editor.post("/pipelines/check", graph(component, **parameters), 200)["problems"]
    return [(p["code"], p["parameter"]) for p in found if p["step"] == "heavy" and p["severity"] == "error"]


def test_written_published_used_and_deleted(editor: Person, viewer: Person) -> None:
    seen = editor.post("/code/check", {"source": HEAVY}, 200)
    assert seen["problems"] == [] and CodeVersion.objects.count() == 0, "looking keeps nothing"
    assert [p["kind"] for p in seen["component"]["inputs"]] == ["Table"] and seen["component"]["title"] == "Keep the heavy rows"
    assert list(seen["component"]["parameters"]["properties"]) == ["least", "sandbox_minutes", "sandbox_memory_gb"]

    first = editor.post("/code", {"name": "Heavy rows", "source": HEAVY})
    assert (first["slug"], first["number"], first["component"]["name"]) == ("heavy-rows", 1, "code:heavy-rows@1")
    assert editor.post("/code/heavy-rows/versions", {"source": HEAVY}) == first, "the same text is the same version"
    second = editor.post("/code/heavy-rows/versions", {"source": HEAVY.replace("= 1.0", "= 2.0"), "note": "heavier"})
    assert second["number"] == 2 and second["component"]["version"] != first["component"]["version"]
    assert [v["number"] for v in viewer.get("/code/heavy-rows/versions")] == [2, 1]
    assert viewer.get("/code/heavy-rows/versions/1") == first
    assert [(c["slug"], c["latest_version"], c["title"]) for c in viewer.get("/code")] == [("heavy-rows", 2, "Keep the heavy rows")]

    catalog = viewer.get("/catalog")
    assert [c["name"] for c in catalog["components"] if c["stage"] == "code"] == ["code:heavy-rows@2"]
    slug = editor.post("/pipelines", {"name": "Uses the old one", "graph": graph("code:heavy-rows@1")})["slug"]
    used = [c["name"] for c in viewer.get(f"/catalog?pipeline={slug}")["components"] if c["stage"] == "code"]
    assert sorted(used) == ["code:heavy-rows@1", "code:heavy-rows@2"]
    assert problems(editor, "code:heavy-rows@1", least=3, sandbox_minutes=5) == []
    assert problems(editor, "code:heavy-rows@1", least=-1, sandbox_memory_gb=9999)[0][1] == "least"
    assert len(problems(editor, "code:heavy-rows@1", least=-1, sandbox_memory_gb=9999)) == 2
    assert problems(editor, "code:heavy-rows@7") == [("unknown_component", None)]
    assert "component: code:heavy-rows@1" in viewer.get(f"/pipelines/{slug}/yaml")["yaml"]

    elsewhere = person(Project.objects.create(slug="elsewhere", name="Elsewhere"), "editor")
    assert problems(elsewhere, "code:heavy-rows@1") == [("unknown_component", None)]
    elsewhere.get("/code/heavy-rows", 404)

    assert editor.ask("DELETE", "/code/heavy-rows").status_code == 204
    assert viewer.get("/code") == [] and problems(editor, "code:heavy-rows@1") == [("unknown_component", None)]
    editor.post("/code/heavy-rows/versions", {"source": HEAVY}, 404)
    editor.post("/code/heavy-rows/restore", status=200)
    assert problems(editor, "code:heavy-rows@1") == []
    actions = list(AuditEntry.objects.filter(action__startswith="code.").order_by("id").values_list("action", flat=True))
    assert actions == ["code.create", "code.publish", "code.publish", "code.delete", "code.restore"]
    words = {w["name"]: [m["name"] for m in w["members"]] for w in viewer.get("/code/words")}
    assert {"log", "progress", "metric"} <= set(words["context"]) and "from_pandas" in words["Table"] and "description" in words["Field"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("import os\nwhile True:\n    pass\n", 0, "processor time|too long"),
        ("x = 1\n\ndef f(table: Table) -> Tabel:\n    '''F'''\n    return table\n", 3, "“Tabel” is not known"),
        ("def a() -> Table:\n    '''A'''\n\ndef b() -> Table:\n    '''B'''\n", 4, "one function too many"),
        ("x = 1\n", 0, "no function"),
        ("import os\nos._exit(0)\n", 0, "ended|exit|without"),
        (
            "def f(*, sandbox_minutes: Annotated[int, Field(description='Mine.')] = 1) -> Metrics:\n    '''F'''\n",
            0,
            "does not describe a step",
        ),
    ],
    ids=["endless", "a typo", "two functions", "none", "leaves", "a taken name"],
)
def test_what_is_wrong_is_told_with_its_line_and_nothing_is_kept(editor: Person, text: str, line: int, says: str) -> None:
    found = editor.post("/code/check", {"source": text}, 200)
    assert found["component"] is None
    assert found["problems"][0]["line"] == line and re.search(says, found["problems"][0]["message"]), found
    if line:
        refused = editor.post("/code", {"name": "Wrong", "source": text}, 422)["error"]
        assert (refused["code"], refused["field"]) == ("invalid_code", "source")
        assert refused["problems"][0]["field"] == f"source.{line}"
    assert CodeVersion.objects.count() == 0


def test_a_huge_text_is_refused_before_it_is_looked_at(editor: Person) -> None:
    began = time.monotonic()
    editor.post("/code/check", {"source": "#" * 200_001}, 422)
    refused = editor.post("/code/check", {"source": "#" + "ü" * 150_000}, 422)["error"]
    assert refused["code"] == "invalid_code" and "200 kB" in refused["message"]
    assert time.monotonic() - began < 60


def test_the_text_sees_no_secret_of_the_studio(editor: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it can say is a title: it says what it finds in its environment."""
    monkeypatch.setenv("SECRET_KEY", "the-key-of-the-studio")
    spy = (
        'import os\n\ndef spy() -> Metrics:\n    """X"""\n\nspy.__doc__ = "T" + "|".join(f"{k}={v}" for k, v in os.environ.items())[:150]\n'
    )
    title = editor.post("/code/check", {"source": spy}, 200)["component"]["title"]
    assert title.startswith("T") and "the-key-of-the-studio" not in title and "DATABASE_URL" not in title


def test_who_may(viewer: Person, owner: Person, project: Project) -> None:
    operator = person(project, "operator")
    for caller in (viewer, operator):
        caller.post("/code/check", {"source": HEAVY}, 403)
        caller.post("/code", {"name": "Heavy", "source": HEAVY}, 403)
        caller.get("/code")
    assert owner.post("/code", {"name": "check", "source": HEAVY})["slug"] == "check-code", "not a word of the addresses"


def test_a_machine_without_a_sandbox_says_what_to_install(editor: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A Python whose kernel has no filter: the child finds no sandbox, and runs nothing of the text."""
    mark = tmp_path / "ran"
    (tmp_path / "sitecustomize.py").write_text(
        "import dataclasses, functools, sys\n"
        "if 'workers.engine.sandbox.inspect' in ' '.join(sys.orig_argv):\n"
        "    from workers.engine.sandbox import machine\n"
        "    found = dataclasses.replace(machine.probe(), seccomp=False)\n"
        "    machine.probe = lambda: found\n"
    )
    from backend.pipelines import look

    monkeypatch.setattr(look, "PATHS", (*look.PATHS, str(tmp_path)))
    refused = editor.post("/code/check", {"source": f"open({str(mark)!r}, 'w')\n"}, 503)["error"]
    assert refused["code"] == "no_sandbox" and "seccomp" in (refused["hint"] + refused["message"]).lower() and not mark.exists()
