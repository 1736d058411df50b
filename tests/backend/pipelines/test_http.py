"""Drafts, versions, YAML and check, as the canvas and the command line use them."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.core.models import AuditEntry
from tests.backend.people import Person

GRAPH: dict[str, Any] = {
    "steps": {
        "pick": {"component": "select_columns", "parameters": {"columns": ["age"]}, "inputs": {}},
        "split": {"component": "split_rows", "inputs": {"table": [{"step": "pick", "output": "table"}]}},
    }
}


def moved(graph: dict[str, Any], x: float) -> dict[str, Any]:
    return {"steps": {**graph["steps"], "pick": {**graph["steps"]["pick"], "position": {"x": x, "y": 0}}}}


def renamed(graph: dict[str, Any], name: str) -> dict[str, Any]:
    return {"steps": {**graph["steps"], "pick": {**graph["steps"]["pick"], "name": name}}}


def test_two_people_saving_one_draft_do_not_overwrite_each_other(editor: Person, owner: Person) -> None:
    slug = editor.post("/pipelines", {"name": "Wine quality", "graph": GRAPH})["slug"]
    assert slug == "wine-quality"
    mine, theirs = editor.get(f"/pipelines/{slug}/draft"), owner.get(f"/pipelines/{slug}/draft")
    saved = editor.put(f"/pipelines/{slug}/draft", {"base": mine["base"], "graph": renamed(GRAPH, "Mine")})
    assert saved["base"] == mine["base"] + 1
    refused = owner.put(f"/pipelines/{slug}/draft", {"base": theirs["base"], "graph": renamed(GRAPH, "Theirs")}, 409)["error"]
    assert (refused["code"], refused["field"], refused["details"]["base"]) == ("stale_draft", "base", saved["base"])
    assert owner.get(f"/pipelines/{slug}/draft")["graph"]["steps"]["pick"]["name"] == "Mine"


def test_publishing_the_same_graph_gives_the_same_version_and_a_version_never_changes(editor: Person) -> None:
    slug = editor.post("/pipelines", {"name": "Wine", "graph": GRAPH})["slug"]
    first = editor.post(f"/pipelines/{slug}/publish", {"note": "first"})
    base = editor.get(f"/pipelines/{slug}/draft")["base"]
    base = editor.put(f"/pipelines/{slug}/draft", {"base": base, "graph": moved(GRAPH, 500)})["base"]
    assert editor.post(f"/pipelines/{slug}/publish", {})["number"] == first["number"] == 1
    base = editor.put(f"/pipelines/{slug}/draft", {"base": base, "graph": renamed(GRAPH, "Chosen")})["base"]
    assert editor.get(f"/pipelines/{slug}")["published_digest"] == first["digest"] != editor.get(f"/pipelines/{slug}")["draft_digest"]
    second = editor.post(f"/pipelines/{slug}/publish", {})
    assert second["number"] == 2
    editor.put(f"/pipelines/{slug}/draft", {"base": base, "graph": GRAPH})
    assert editor.post(f"/pipelines/{slug}/publish", {})["number"] == 1
    with CaptureQueriesContext(connection) as asked:
        listed = editor.get(f"/pipelines/{slug}/versions")
    assert [v["number"] for v in listed] == [2, 1]
    assert not any('"pipelines_pipelineversion"."graph"' in q["sql"] for q in asked), "a list of versions read all their graphs"
    assert listed[1] == {name: value for name, value in first.items() if name != "graph"}
    assert editor.get(f"/pipelines/{slug}/versions/1") == first
    assert editor.get(f"/pipelines/{slug}/versions/99999999999", 404)["error"]["code"] == "not_found"
    actions = list(AuditEntry.objects.filter(actor=editor.user).order_by("id").values_list("action", flat=True))
    assert actions == ["pipeline.create", *["pipeline.publish", "pipeline.edit", "pipeline.edit"], "pipeline.publish", "pipeline.edit"]


def test_yaml_goes_out_and_comes_back_as_the_same_version(editor: Person) -> None:
    slug = editor.post("/pipelines", {"name": "Wine", "description": "Reds", "graph": moved(GRAPH, 10)})["slug"]
    version = editor.post(f"/pipelines/{slug}/publish", {})
    out = editor.get(f"/pipelines/{slug}/yaml?version=1")
    assert out["digest"] == version["digest"]
    read = editor.post("/pipelines/parse", {"yaml": out["yaml"]}, 200)
    assert read == version["graph"]
    again = editor.post("/pipelines/import", {"yaml": out["yaml"], "slug": slug})
    assert (again["slug"], again["latest_version"], again["published_digest"]) == (slug, 1, version["digest"])
    changed = editor.post("/pipelines/import", {"yaml": out["yaml"].replace("- age", "- alcohol"), "slug": slug})
    assert (changed["latest_version"], changed["steps"]) == (2, 2)
    new = editor.post("/pipelines/import", {"yaml": out["yaml"]})
    assert (new["slug"], new["name"], new["description"], new["published_digest"]) == ("wine-2", "Wine", "Reds", version["digest"])
    wrong = editor.post("/pipelines/import", {"yaml": out["yaml"].replace("pick.table", "pick")}, 422)["error"]
    assert wrong["code"] == "invalid_yaml" and wrong["field"] == "steps.split.inputs.table" and "line 13" in wrong["message"]


def test_a_deleted_pipeline_is_gone_until_it_is_restored(editor: Person, viewer: Person) -> None:
    slug = editor.post("/pipelines", {"name": "Wine", "graph": GRAPH})["slug"]
    assert editor.ask("DELETE", f"/pipelines/{slug}").status_code == 204
    assert viewer.get("/pipelines")["items"] == []
    assert [p["slug"] for p in viewer.get("/pipelines?deleted=true")["items"]] == [slug]
    assert editor.get(f"/pipelines/{slug}/draft", 404)["error"]["code"] == "not_found"
    assert editor.post("/pipelines", {"name": "Wine"})["slug"] == "wine-2"
    assert editor.post(f"/pipelines/{slug}/restore", {}, 200)["deleted_at"] is None
    assert editor.get(f"/pipelines/{slug}/draft")["graph"]["steps"].keys() == GRAPH["steps"].keys()


def test_the_list_searches_pages_and_counts_without_loading_drafts(editor: Person, django_assert_max_num_queries: Any) -> None:
    for name in ("Wine", "Beer", "Wine again"):
        editor.post("/pipelines", {"name": name, "graph": GRAPH})
    with django_assert_max_num_queries(6):
        page = editor.get("/pipelines?search=wine&limit=1")
    assert page["total"] == 2 and page["items"][0] | {"steps": 2, "latest_version": None, "name": "Wine again"} == page["items"][0]
    assert [p["name"] for p in editor.get(f"/pipelines?search=wine&limit=1&cursor={page['next']}")["items"]] == ["Wine"]


def test_what_is_no_graph_or_no_single_source_is_refused_with_its_field(editor: Person) -> None:
    bad = {"steps": {"a": {"component": "x", "inputs": {"t": [{"step": "b", "output": "no such"}]}}}}
    refused = editor.post("/pipelines", {"name": "Bad", "graph": bad}, 422)["error"]
    assert (refused["code"], refused["field"]) == ("invalid_input", "graph.steps.a.inputs.t.0.output")
    assert editor.post("/pipelines", {"name": "Two", "graph": GRAPH, "yaml": "x"}, 422)["error"]["code"] == "too_many_sources"
    assert editor.post("/pipelines", {"name": "None", "template": "no-such"}, 404)["error"]["code"] == "not_found"
    empty = editor.post("/pipelines", {"name": "Check"})["slug"]
    assert empty == "check-pipeline"
    assert editor.post(f"/pipelines/{empty}/publish", {}, 422)["error"]["code"] == "nothing_to_publish"
    assert editor.get("/pipelines?limit=0", 422)["error"]["field"] == "limit"


def test_the_palette_comes_from_the_components(viewer: Person) -> None:
    catalog = viewer.get("/catalog")
    pick = next(c for c in catalog["components"] if c["name"] == "select_columns")
    assert (pick["stage"], pick["inputs"][0]["kind"], pick["parameters"]["properties"]["columns"]["format"]) == ("data", "Table", "columns")
    assert {"name", "title", "color", "shape", "help"} <= catalog["kinds"][0].keys()
