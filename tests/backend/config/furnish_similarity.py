"""The likeness part of a furnished project: embeddings of the pictures, a label in doubt, and a bulk that can be undone."""

from __future__ import annotations

from typing import Any

from backend.labeling.models import Annotation, LabelSchema
from backend.similarity.actions.computing import compute
from backend.similarity.models import Bulk, Doubt, Space, Vector
from tests.backend.people import Person

Json = dict[str, Any]


def furnish_similarity(owner: Person, at: dict[str, str]) -> dict[str, str]:
    """Path parameters that lead to something real. Needs the labels of `furnish_labels`."""
    made = owner.post("/datasets/shapes/spaces", {"embedder": "picture_shapes"}, 202)
    space = Space.objects.get(pk=made["id"])
    compute(space.pk)
    space.refresh_from_db()
    assert space.status == "ready", space.message
    said = Annotation.objects.get(pk=at["annotation"])
    doubt = Doubt.objects.create(schema=said.schema, item=said.item, annotation=said, given="cat", suggested="dog", score=0.1)
    bulk = Bulk.objects.create(schema=LabelSchema.objects.get(slug="others"), kind="label", created_by=owner.user)
    return {"space": str(space.pk), "digest": Vector.objects.earliest("id").digest, "doubt": str(doubt.pk), "bulk_id": str(bulk.pk)}


def right_similarity(at: dict[str, str]) -> dict[str, list[Json]]:
    """As `furnish.right`."""
    spaces, one = "/datasets/{dataset}/spaces", "/datasets/{dataset}/spaces/{space}"
    schema = "/label-schemas/{label_schema}"
    shapes = {"path": {"dataset": "shapes"}}
    others = {"path": {"label_schema": "others"}}
    mine = {"label_schema": "shapes"}
    label = [{"id": "a", "from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": ["dog"]}}]
    chosen = Vector.objects.filter(space=at["space"]).values_list("id", flat=True)
    return {
        f"GET {spaces}": [{}, shapes],
        f"POST {spaces}": [
            {**shapes, "body": {"embedder": "picture_shapes"}},
            {"body": {"embedder": "row_values"}},
            {"body": {"embedder": "text_terms", "column": "note"}},
        ],
        f"GET {one}": [shapes],
        f"POST {one}/cancel": [shapes],
        f"DELETE {one}": [shapes],
        f"GET {one}/near": [
            {**shapes, "query": {"like": at["digest"]}},
            {**shapes, "query": {"item": int(at["item"]), **mine, "state": "unlabelled", "limit": 5}},
        ],
        f"GET {one}/points": [shapes, *({**shapes, "query": {**mine, "by": by}} for by in ("label", "annotator", "suggested"))],
        f"GET {one}/clusters": [shapes, {**shapes, "query": mine}],
        f"POST {one}/items": [
            {**shapes, "query": mine, "body": {"ids": list(chosen)}},
            {**shapes, "body": {"cluster": 0}},
        ],
        f"GET {one}/pictures/{{digest}}": [shapes, {**shapes, "query": {"thumbnail": True}}],
        f"GET {schema}/duplicates": [{"query": {"distance": 0.02}}, {"query": {"space": at["space"]}}],
        f"POST {schema}/aside": [{"body": {"items": [int(at["item"])]}}],
        f"POST {schema}/bulks": [{"body": {"items": [int(at["item"])], "schema_version": 1, "result": label, "seconds": 2.0}}],
        f"POST {schema}/bulks/{{bulk_id}}/undo": [others],
        f"POST {schema}/doubts": [{"body": {}}, {"body": {"space": at["space"]}}],
        f"GET {schema}/doubts/list": [{}, {"query": {"decided": True}}],
        f"POST {schema}/doubts/{{doubt}}": [{"body": {"decision": "kept"}}, {"body": {"decision": "relabelled", "label": "dog"}}],
        f"PUT {schema}/order": [
            {"body": {"order": "random"}},
            {"body": {"order": "diverse"}},
            {"body": {"order": "value", "column": "size", "descending": False}},
        ],
    }
