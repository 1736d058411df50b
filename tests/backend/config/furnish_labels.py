"""The labelling part of a furnished project: a queue of pictures in which a person has labelled one, and the owner holds another."""

from __future__ import annotations

from typing import Any

from backend.core.secrets import encrypt
from backend.labeling.actions.fill import fill
from backend.labeling.actions.imports import bytes_of
from backend.labeling.models import AutoPass, LabelImport, LabelSchema, Pause, QueueItem, Suggestion
from backend.labelstudio.models import Conflict, Deletion, Link, LinkedTask
from tests.backend.labeling.conftest import PICTURES, box, choice, say, take
from tests.backend.people import Person, person

Json = dict[str, Any]
NOTES = (
    '<View><Text name="note" value="$note"/><Choices name="mood" toName="note"><Choice value="good"/><Choice value="bad"/></Choices></View>'
)


def furnish_labels(owner: Person) -> dict[str, str]:
    """Path parameters that lead to something real. Needs the frozen data set `shapes`."""
    schema = owner.post("/label-schemas", {"name": "Shapes", "dataset": "shapes", "xml": PICTURES, "guidelines": "Look."})["slug"]
    fill(LabelSchema.objects.get(slug=schema).pk)
    ann = person(owner.project, "annotator", "ann@lab.example")
    labelled, held = take(ann, schema), take(owner, schema)
    assert labelled and held
    annotation = say(ann, schema, labelled["id"], [choice("cat"), box(1, 1, 20, 20)])["id"]
    path = f"/label-schemas/{schema}"
    assert owner.get(f"{path}/items/{held['id']}/pyramid?wait=30")["progress"] == 1
    comment = owner.post(f"{path}/items/{held['id']}/comments", {"text": "?"})["id"]
    (assignment,) = owner.post(f"{path}/assignments", {"name": "Rest", "people": [str(owner.user.pk)]})
    others = owner.post("/label-schemas", {"name": "Others", "dataset": "shapes", "xml": PICTURES, "review_share": 0.0})["slug"]
    fill(LabelSchema.objects.get(slug=others).pk)
    kinds = PICTURES.replace('"cat"', '"setosa"').replace('"dog"/>', '"versicolor"/><Choice value="virginica"/>')
    fill(LabelSchema.objects.get(slug=owner.post("/label-schemas", {"name": "Kinds", "dataset": "shapes", "xml": kinds})["slug"]).pk)
    opened = QueueItem.objects.filter(schema__slug="kinds").earliest("id")
    Suggestion.objects.create(item=opened, model_version="eye: eye@1", score=0.9, result=[choice("setosa")])
    owner.put("/label-schemas/kinds/suggestions/on-opening", {"endpoint": "eye"})
    notes = LabelSchema.objects.get(slug=owner.post("/label-schemas", {"name": "Notes", "dataset": "weather", "xml": NOTES})["slug"])
    fill(notes.pk)
    link = Link.objects.create(schema=notes, url="https://labels.example.org", token=encrypt("secret"), remote=5, created_by=owner.user)
    linked = LinkedTask.objects.create(link=link, item=notes.items.earliest("id"), remote=1)
    told = {"result": [], "by": "Ann"}
    conflict = Conflict.objects.create(task=linked, kind="both", why="Both sides changed it.", ours=told, theirs=None)
    deletion = Deletion.objects.create(link=link, item=linked.item, side="theirs", what="task")
    brought = owner.post(f"{path}/imports", {"filename": "labels.jsonl", "size": 2, "format": "jsonl"})["id"]
    checked = LabelImport.objects.create(
        schema=LabelSchema.objects.get(slug=schema), format="jsonl", filename="labels.jsonl", size=2, received=2, status="checked",
        created_by=owner.user,
    )  # fmt: skip
    bytes_of(checked.pk).parent.mkdir(parents=True)
    bytes_of(checked.pk).write_bytes(b"{}")
    first = take(ann, others)
    assert first
    say(ann, others, first["id"], [choice("cat")])
    owner.post(f"{path}/quality/honeypots", {"items": [{"item": labelled["id"], "result": [choice("cat")]}]})
    made = AutoPass.objects.create(schema=LabelSchema.objects.get(slug=schema), threshold=0.9, created_by=owner.user)
    Pause.objects.create(schema=LabelSchema.objects.get(slug=schema), user=ann.user, reason="they were wrong")
    return {
        "me": str(owner.user.pk), "label_schema": schema, "item": str(held["id"]), "labelled_item": str(labelled["id"]),
        "annotation": annotation, "comment": comment,
        "assignment": assignment["id"], "person": str(ann.user.pk),
        "label_import": brought, "checked_import": str(checked.pk), "conflict": str(conflict.pk), "deletion": str(deletion.pk),
        "auto_pass": str(made.pk), "opened_item": str(opened.pk),
    }  # fmt: skip


def right_labels(at: dict[str, str]) -> dict[str, list[Json]]:
    """As `furnish.right`."""
    labelled, notes = {"item": at["labelled_item"]}, {"label_schema": "notes"}
    brought = "/label-schemas/{label_schema}/imports/{label_import}"
    one, item = "/label-schemas/{label_schema}", "/label-schemas/{label_schema}/items/{item}"
    submission = {"id": "01890000-0000-7000-8000-000000000001", "schema_version": 1, "result": [choice("dog")], "seconds": 2.5}
    quality = {"truth_by": "skill", "enough": 0.7, "honeypot_share": 0.0, "pause_below": None}
    made = {"name": "Again", "dataset": "shapes", "xml": PICTURES}
    return {
        "GET /label-schemas": [{}, {"query": {"search": "sha", "dataset": "shapes"}}, {"query": {"deleted": True}}],
        "POST /label-schemas": [{"body": made}, {"body": {**made, "overlap": 3, "review_share": 0.5, "blind": False, "order": "random"}}],
        "POST /label-schemas/check": [
            {"body": {"xml": "<View>"}},
            {"body": {"xml": PICTURES, "dataset": "shapes", "label_schema": "shapes"}},
        ],
        f"PATCH {one}": [{"body": {"overlap": 2, "order": "random"}}, {"body": {"name": "New"}}],
        f"POST {one}/restore": [{"before": ("DELETE", "/label-schemas/shapes", None)}],
        f"POST {one}/fill": [{}],
        f"POST {one}/versions": [{"body": {"xml": PICTURES, "guidelines": "Look again.", "base": 1, "mapping": {"kind": {"cat": "dog"}}}}],
        f"POST {one}/next": [{"body": {}}, {"body": {"holding": [int(at["item"])]}}],
        f"GET {one}/items": [{}, *({"query": {"state": state}} for state in ("open", "differing", "to_review", "commented", "removed"))],
        f"GET {item}": [{}, {"path": labelled}],
        f"GET {item}/file": [{}, {"query": {"overview": True}}],
        f"GET {item}/pyramid": [{"query": {"wait": 30}}],
        f"GET {item}/tiles/{{level}}/{{column}}/{{row}}": [{"path": {"level": "0", "column": "0", "row": "0"}}],
        f"PUT {item}/draft": [{"body": {"result": [box(1, 1, 5, 5)], "number": 7}}],
        f"POST {item}/submit": [{"body": submission}],
        f"POST {item}/skip": [{"body": {"reason": "dark"}}],
        f"GET {item}/annotations": [{}, {"path": labelled}],
        f"POST {item}/truth": [{"path": labelled, "body": {"annotation": at["annotation"]}}],
        f"POST {item}/comments": [{"body": {"text": "Look at this.", "asks": True}}],
        f"POST {one}/review/next": [{"body": {}}, {"body": {"holding": [at["annotation"]]}}],
        f"POST {one}/annotations/{{annotation}}/review": [
            {"body": {"verdict": "accepted", "version": 1}},
            {"body": {"verdict": "fixed", "version": 1, "result": [choice("dog")]}},
            {"body": {"verdict": "rejected", "version": 1, "comment": "No."}},
        ],
        f"POST {one}/assignments": [{"path": {"label_schema": "others"}, "body": {"name": "Some", "people": [at["me"]], "share": 0.5}}],
        f"POST {one}/quality": [{}],
        f"GET {one}/quality/disagreements": [{}, {"query": {"control": "kind", "said": "cat", "other": "", "person": at["me"]}}],
        f"PUT {one}/quality/settings": [{"body": quality}],
        f"POST {one}/quality/honeypots": [{"body": {"items": [{"item": int(at["item"]), "result": [choice("dog")]}]}}],
        f"DELETE {one}/quality/honeypots/{{item}}": [{"path": labelled}],
        f"POST {one}/suggestions": [{"path": {"label_schema": "kinds"}, "body": {"endpoint": "eye"}}],
        f"DELETE {one}/suggestions": [{}, {"path": {"label_schema": "kinds"}}],
        f"GET {one}/suggestions/on-opening": [{}, {"path": {"label_schema": "kinds"}}],
        f"PUT {one}/suggestions/on-opening": [
            {"path": {"label_schema": "kinds"}, "body": {"endpoint": "eye"}},
            {"path": {"label_schema": "kinds"}, "body": {"model": "eye@1"}},
        ],
        f"DELETE {one}/suggestions/on-opening": [{}, {"path": {"label_schema": "kinds"}}],
        f"POST {item}/suggestions": [{"path": {"label_schema": "kinds", "item": at["opened_item"]}}],
        f"GET {one}/auto-accept": [{}, {"query": {"threshold": 0.8}}],
        f"PUT {one}/auto-accept": [{"body": {"enabled": True, "threshold": 0.95, "audit_share": 0.05, "max_error": 0.05}}],
        f"POST {one}/auto-accept/passes/{{auto_pass}}/undo": [{}],
        f"PUT {one}/loop": [{"body": {"template": "image-classification", "every": 1, "test_size": 1, "draws": 0}}],
        f"PUT {one}/link": [{"path": notes, "body": {"url": "https://labels.example.org", "token": "t", "remote": 5}}],
        f"DELETE {one}/link": [{"path": notes}],
        f"POST {one}/link/sync": [{"path": notes}],
        f"POST {one}/link/cancel": [{"path": notes}],
        f"PUT {one}/link/schedule": [{"path": notes, "body": {"every_minutes": 15}}, {"path": notes, "body": {"every_minutes": None}}],
        f"POST {one}/link/conflicts": [{"path": notes, "body": {"side": "theirs"}}],
        f"POST {one}/link/conflicts/{{conflict}}": [{"path": notes, "body": {"side": "ours"}}],
        f"POST {one}/link/deletions/{{deletion}}/undo": [{"path": notes}],
        f"GET {one}/export/check": [{"query": {"format": "coco"}}, {"query": {"format": "csv", "what": "truth"}}],
        f"GET {one}/export": [
            {"query": {"format": "labelstudio"}},
            {"query": {"format": "yolo", "images": True}},
            {"path": {"label_schema": "others"}, "query": {"format": "csv", "what": "truth"}},
        ],
        f"POST {one}/imports": [{"body": {"filename": "boxes.json", "size": 12, "format": "coco"}}],
        f"PUT {brought}/chunks": [{"query": {"offset": 0}, "body": b"{}"}],
        f"POST {brought}/check": [{"before": ("PUT", f"/label-schemas/shapes/imports/{at['label_import']}/chunks?offset=0", b"{}")}],
        f"POST {brought}/apply": [{"path": {"label_import": at["checked_import"]}}],
        f"POST {one}/labelled": [{"path": {"label_schema": "others"}, "body": {"note": "first"}}],
    }
