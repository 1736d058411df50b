"""Our rows as Label Studio's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q

from backend.core.models import User
from backend.core.permissions import may
from backend.labeling.models import Annotation, Comment, Draft, LabelSchema, LabelSchemaVersion, QueueItem, Skip, Suggestion
from backend.labeling.queries.items import shown_data, visible, wording
from backend.labeling.queries.schemas import newest_version
from backend.labelstudio.models import Counterpart, TaskNote, TaskTouch
from backend.labelstudio.queries.subjects import ANNOTATION, PERSON, SKIP, counterpart_of, counterparts_of, key_of, numbers
from workers.sdk.labels.config import LabelConfig, from_json

Json = dict[str, Any]
SETTINGS: Json = {
    "show_instruction": False, "show_skip_button": True, "enable_empty_annotation": True, "show_annotation_history": False,
    "color": "#FFFFFF", "min_annotations_to_start_training": 0, "start_training_on_annotation_update": False,
    "show_collab_predictions": True, "show_ground_truth_first": False, "show_overlap_first": False, "overlap_cohort_percentage": 100,
    "task_data_login": None, "task_data_password": None, "control_weights": {}, "evaluate_predictions_automatically": False,
    "skip_queue": "REQUEUE_FOR_OTHERS", "reveal_preannotations_interactively": False, "pinned_at": None, "model_version": "",
    "description": "",
}  # fmt: skip
"""What a project has there and we only keep: a script that sets one reads it again."""


def user_out(user: User, n: int) -> Json:
    first, _, last = user.name.partition(" ")
    return {
        "id": n, "first_name": first, "last_name": last, "username": user.email.partition("@")[0], "email": user.email, "avatar": None,
        "initials": "".join(word[0] for word in (first, last) if word).upper() or user.email[:2], "phone": "",
        "date_joined": user.date_joined, "last_activity": user.last_login, "active_organization": 1,
        "active_organization_meta": {"title": "Headrace", "email": ""}, "allow_newsletters": False,
    }  # fmt: skip


def projects_out(schemas: Sequence[LabelSchema]) -> list[Json]:
    """In a fixed number of queries, however many."""
    known = counterparts_of(schemas)
    newest = {v.schema_id: v for v in LabelSchemaVersion.objects.filter(schema__in=known).order_by("schema", "-number").distinct("schema")}
    counts = _counts(list(known))
    people = numbers(PERSON, [s.created_by_id for s in schemas if s.created_by_id])
    return [
        project_out(s, known[s.pk], newest[s.pk], counts.get(s.pk, {}), people.get(s.created_by_id) if s.created_by_id else None)
        for s in schemas
    ]


SAMPLING = {"random": "Uniform sampling", "uncertain": "Uncertainty sampling"}


def project_out(schema: LabelSchema, counterpart: Counterpart, version: LabelSchemaVersion, counts: Json, author: int | None) -> Json:
    tasks, complete = counts.get("tasks", 0), counts.get("complete", 0)
    by = schema.created_by
    return {
        **SETTINGS, **counterpart.settings,
        "id": counterpart.pk, "title": schema.name, "label_config": version.xml, "expert_instruction": version.guidelines,
        "maximum_annotations": schema.overlap, "organization": 1, "is_published": True, "is_draft": False,
        "sampling": SAMPLING.get(schema.order, "Sequential sampling"),
        "created_by": {"id": author, "first_name": by.name.partition(" ")[0], "last_name": by.name.partition(" ")[2], "email": by.email,
                       "avatar": None} if by else None,
        "created_at": schema.created_at, "updated_at": schema.updated_at,
        "task_number": tasks, "finished_task_number": complete, "num_tasks_with_annotations": counts.get("begun", 0),
        "total_annotations_number": counts.get("annotations", 0), "useful_annotation_number": counts.get("annotations", 0),
        "ground_truth_number": counts.get("truths", 0), "skipped_annotations_number": counts.get("skips", 0),
        "total_predictions_number": counts.get("suggestions", 0), "queue_total": tasks, "queue_done": complete,
        "parsed_label_config": parsed(from_json(version.config)), "config_has_control_tags": bool(version.config["controls"]),
        "config_suitable_for_bulk_annotation": False,
    }  # fmt: skip


def _counts(schemas: list[UUID]) -> dict[UUID, Json]:
    if not schemas:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schema_id, count(*), count(*) FILTER (WHERE done >= wanted), count(*) FILTER (WHERE done > 0), count(truth_id),"
            " coalesce(sum(done), 0) FROM labeling_queueitem WHERE schema_id = ANY (%s) AND NOT removed GROUP BY schema_id",
            [schemas],
        )
        names = ("tasks", "complete", "begun", "truths", "annotations")
        found = {row[0]: dict(zip(names, map(int, row[1:]), strict=True)) for row in cursor.fetchall()}
        for name, table in (("skips", "labeling_skip"), ("suggestions", "labeling_suggestion")):
            cursor.execute(
                f"SELECT q.schema_id, count(*) FROM {table} x JOIN labeling_queueitem q ON q.id = x.item_id"  # noqa: S608 - names of ours
                " WHERE q.schema_id = ANY (%s) AND NOT q.removed GROUP BY q.schema_id",
                [schemas],
            )
            for schema, count in cursor.fetchall():
                found.setdefault(schema, {})[name] = count
    return found


def parsed(config: LabelConfig) -> Json:
    """What Label Studio's clients call the parsed label config: {control: {type, to_name, inputs, labels, labels_attrs}}."""
    found = {}
    for control in config.controls:
        shown = config.object(control.to)
        labels = [label.value for label in control.labels]
        found[control.name] = {
            "type": control.tag, "to_name": [control.to, *control.to_more],
            "inputs": [{"type": shown.tag, "value": shown.value}] if shown else [],
            "labels": labels, "labels_attrs": {label.value: {"value": label.value, "background": label.color} for label in control.labels},
        }  # fmt: skip
    return found


def data_of(item: QueueItem, config: LabelConfig) -> Json:
    """A task's data: of rows their values, of texts the text, of images an address that the same token reads."""
    if item.media_type == "application/json":
        return dict(item.data)
    if item.media_type.startswith("text/"):
        by_object = shown_data(item, config)
        return {o.value: by_object[o.name] for o in config.objects if o.name in by_object}
    return {**item.data, **{o.value: f"{settings.PUBLIC_URL}/api/tasks/{item.pk}/file/" for o in config.objects}}


def tasks_out(schema: LabelSchema, items: Sequence[QueueItem], user: User, role: str, *, only_data: bool = False) -> list[Json]:
    """Tasks with what was said of them, as far as the caller may see it: a fixed number of queries, however many."""
    config, project = wording(newest_version(schema)), counterpart_of(schema).pk
    ids = [item.pk for item in items]
    notes = dict(TaskNote.objects.filter(item__in=ids).values_list("item", "meta"))
    if only_data:
        told = _per_item(Suggestion, ids)
        return [_task(item, config, project, notes.get(item.pk)) | {"total_predictions": told.get(item.pk, 0)} for item in items]
    said: dict[int, list[Annotation]] = {}
    rows = Annotation.objects.filter(visible(schema, user, role), item__in=ids).select_related("item", "author")
    for annotation in rows.order_by("created_at", "id"):
        said.setdefault(annotation.item_id, []).append(annotation)
    shapes = dict(zip_shapes([a for found in said.values() for a in found], project))
    predicted: dict[int, list[Json]] = {}
    for suggestion in Suggestion.objects.filter(item__in=ids).order_by("id"):
        predicted.setdefault(suggestion.item_id, []).append(prediction_out(suggestion, project))
    touched = dict(TaskTouch.objects.filter(item__in=ids).values_list("item", "at"))
    skips = _per_item(Skip, ids)
    skipped: dict[int, list[Skip]] = {}
    for skip in Skip.objects.filter(item__in=ids).select_related("user").order_by("created_at", "pk"):
        if skip.user_id == user.pk or may(role, "label.review"):
            skipped.setdefault(skip.item_id, []).append(skip)
    left = dict(skip_shapes([skip for found in skipped.values() for skip in found], project))
    comments = _per_item(Comment, ids)
    open_comments = _per_item(Comment, ids, resolved_at=None)
    drafts: dict[int, list[Json]] = {}
    for draft in Draft.objects.filter(item__in=ids, user=user):
        drafts.setdefault(draft.item_id, []).append({"id": draft.pk, "result": draft.result, "created_at": draft.updated_at})
    found = []
    for item in items:
        annotations = [shapes[a.pk] for a in said.get(item.pk, [])]
        newest = max((a.updated_at for a in said.get(item.pk, [])), default=None)
        left_at = max((skip.created_at for skip in skipped.get(item.pk, [])), default=None)
        changed = max((at for at in (newest, left_at, touched.get(item.pk)) if at), default=None)
        found.append(
            _task(item, config, project, notes.get(item.pk)) | {
                "annotations": [*annotations, *(left[skip.pk] for skip in skipped.get(item.pk, []))],
                "predictions": predicted.get(item.pk, []), "drafts": drafts.get(item.pk, []),
                "total_annotations": item.done, "cancelled_annotations": skips.get(item.pk, 0),
                "total_predictions": len(predicted.get(item.pk, [])), "comment_count": comments.get(item.pk, 0),
                "unresolved_comment_count": open_comments.get(item.pk, 0), "updated_at": changed,
                "completed_at": newest if item.done >= item.wanted else None,
                "annotators": sorted({a["completed_by"] for a in annotations if a["completed_by"]}),
            }
        )  # fmt: skip
    return found


def _task(item: QueueItem, config: LabelConfig, project: int, meta: Any) -> Json:
    return {
        "id": item.pk, "data": data_of(item, config), "meta": meta or {}, "created_at": None, "updated_at": None,
        "is_labeled": item.done >= item.wanted, "overlap": item.wanted, "inner_id": item.position, "project": project, "updated_by": [],
        "file_upload": None, "comment_authors": [], "last_comment_updated_at": None,
    }  # fmt: skip


def _per_item(model: Any, ids: list[int], **only: Any) -> dict[int, int]:
    rows = model.objects.filter(Q(**only), item__in=ids).values_list("item").annotate(Count("pk"))
    return dict(rows)


def zip_shapes(annotations: Sequence[Annotation], project: int) -> Iterable[tuple[UUID, Json]]:
    """(Our id, Label Studio's JSON) of each."""
    ids = numbers(ANNOTATION, [a.pk for a in annotations])
    people = numbers(PERSON, [a.author_id for a in annotations if a.author_id])
    for a in annotations:
        author = people.get(a.author_id) if a.author_id else None
        yield a.pk, {
            "id": ids[a.pk], "completed_by": author, "result": a.result, "was_cancelled": False, "ground_truth": a.item.truth_id == a.pk,
            "created_at": a.created_at, "updated_at": a.updated_at, "draft_created_at": None, "lead_time": a.seconds or None,
            "prediction": {}, "result_count": len(a.result), "unique_id": a.pk, "import_id": None, "task": a.item_id, "project": project,
            "last_action": "submitted" if a.version == 1 else "updated", "last_created_by": author, "updated_by": author,
            "parent_prediction": None, "parent_annotation": None, "bulk_created": False,
            "created_username": f"{a.author.name} {a.author.email}, {author}".strip() if a.author else a.author_name,
        }  # fmt: skip


def skip_shapes(skips: Sequence[Skip], project: int) -> Iterable[tuple[int, Json]]:
    """(Our id, a cancelled annotation) of each. The reason is ours: Label Studio has no place for one and leaves the field alone."""
    ids, people = numbers(SKIP, [key_of(s.pk) for s in skips]), numbers(PERSON, [s.user_id for s in skips])
    for s in skips:
        by = people[s.user_id]
        yield s.pk, {
            "id": ids[key_of(s.pk)], "completed_by": by, "result": [], "was_cancelled": True, "skip_reason": s.reason,
            "ground_truth": False,
            "created_at": s.created_at, "updated_at": s.created_at, "draft_created_at": None, "lead_time": None, "prediction": {},
            "result_count": 0, "unique_id": key_of(s.pk), "import_id": None, "task": s.item_id, "project": project,
            "last_action": "skipped", "last_created_by": by, "updated_by": by, "parent_prediction": None, "parent_annotation": None,
            "bulk_created": False, "created_username": f"{s.user.name} {s.user.email}, {by}".strip(),
        }  # fmt: skip


def annotation_out(annotation: Annotation | Skip) -> Json:
    if isinstance(annotation, Skip):
        return dict(skip_shapes([annotation], counterpart_of(annotation.item.schema).pk))[annotation.pk]
    return dict(zip_shapes([annotation], counterpart_of(annotation.item.schema).pk))[annotation.pk]


def prediction_out(row: Suggestion, project: int) -> Json:
    return {
        "id": row.pk, "task": row.item_id, "project": project, "result": row.result, "score": row.score,
        "model_version": row.model_version, "created_at": row.created_at, "updated_at": row.created_at, "created_ago": "",
        "cluster": None, "neighbors": None, "mislabeling": 0.0, "model": None, "model_run": None,
    }  # fmt: skip
