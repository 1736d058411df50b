"""Items of a queue as people see them, and what they may see of each other's work."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from backend.artifacts import pyramids
from backend.artifacts.errors import NoSuchFile
from backend.artifacts.storage import store
from backend.core.errors import InvalidInput, NotFound
from backend.core.models import Project, User
from backend.core.permissions import may
from backend.core.queries.pages import paginate
from backend.core.queries.rows import Columns, one
from backend.labeling.models import Annotation, Assignment, Comment, HeldBack, LabelSchema, LabelSchemaVersion, QueueItem, Review, Skip
from backend.labeling.queries import masks
from backend.labeling.queries.schemas import NEWEST, SCHEMA, Newest, newest_version
from workers.sdk.labels.config import FILES, LabelConfig, from_json
from workers.sdk.labels.shown import shown

TEXT_BYTES = 2 * 1024 * 1024
STATES = ("open", "complete", "differing", "to_review", "rejected", "truth", "skipped", "commented", "removed")


@lru_cache(maxsize=256)
def _config(version: UUID) -> LabelConfig:
    return from_json(LabelSchemaVersion.objects.values_list("config", flat=True).get(pk=version))


def wording(version: LabelSchemaVersion | Newest) -> LabelConfig:
    """What a wording asks for; it never changes, so it is read once."""
    return _config(version.pk)


@lru_cache(maxsize=64)
def _text(digest: str) -> str:
    data = store().read(digest)[:TEXT_BYTES]
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")


def shown_data(item: QueueItem, config: LabelConfig) -> dict[str, Any]:
    """What each object of the schema shows of an item: {object name: text, entries of a list}, of a sound or video what is known of it
    (`duration`, `frame_rate` …)."""
    words = item.media_type.startswith("text/")
    found = {o.name: _text(item.digest) if words and o.tag == "Text" else shown(o, item.data) for o in config.objects}
    return {name: value for name, value in found.items() if value is not None}


ITEM = Columns(q=QueueItem, n=Assignment)


def find_item(schema: LabelSchema, id_: int) -> QueueItem:
    row = one(
        f"SELECT {ITEM.sql} FROM labeling_queueitem q LEFT JOIN labeling_assignment n ON n.id = q.assignment_id"  # noqa: S608 - our own column names only
        " WHERE q.schema_id = %s AND q.id = %s",
        [schema.pk, id_],
    )
    if row is None:
        raise NotFound(what="item", name=str(id_))
    item, item.assignment = ITEM.read(row)
    item.schema = schema
    return item  # type: ignore[no-any-return]  # what `read` gives is in the order of ITEM


def item_at(project: Project, slug: str, id_: int) -> QueueItem:
    """`find_schema` and `find_item` in one statement; NotFound says which of the two is not there."""
    row = one(
        f"SELECT {SCHEMA.sql}, v.id, v.number, {ITEM.sql} FROM labeling_labelschema s JOIN datasets_dataset d ON d.id = s.dataset_id"  # noqa: S608 - our own column names only
        f" LEFT JOIN LATERAL {NEWEST} v ON true LEFT JOIN labeling_queueitem q ON q.schema_id = s.id AND q.id = %s"
        " LEFT JOIN labeling_assignment n ON n.id = q.assignment_id WHERE s.project_id = %s AND s.slug = %s AND s.deleted_at IS NULL",
        [id_, project.pk, slug],
    )
    if row is None:
        raise NotFound(what="label schema", name=slug)
    schema, dataset, version, number, *rest = SCHEMA.read(row)
    schema.project, schema.dataset, schema.newest = project, dataset, Newest(version, number)
    item, assignment = ITEM.read(rest)
    if item is None:
        raise NotFound(what="item", name=str(id_))
    item.schema, item.assignment = schema, assignment
    return item  # type: ignore[no-any-return]  # as above


class Theirs(NamedTuple):
    """What an item has of a person, and whether there is more to ask for."""

    draft: str | None
    number: int | None
    drafted_at: datetime | None
    until: datetime | None
    comments: int
    labelled: bool
    suggested: bool


THEIRS = (
    "d.result, d.number, d.updated_at, l.until, (SELECT count(*) FROM labeling_comment WHERE item_id = q.id),"
    " EXISTS (SELECT 1 FROM labeling_annotation a WHERE item_id = q.id AND (author_id = %(user)s OR EXISTS"
    "  (SELECT 1 FROM labeling_annotation_coauthors c WHERE c.annotation_id = a.id AND c.user_id = %(user)s))),"
    " EXISTS (SELECT 1 FROM labeling_suggestion WHERE item_id = q.id)"
    " AND NOT EXISTS (SELECT 1 FROM labeling_heldback WHERE item_id = q.id)"
)
OF_THEM = (
    " LEFT JOIN labeling_draft d ON d.item_id = q.id AND d.user_id = %(user)s"
    " LEFT JOIN labeling_lease l ON l.item_id = q.id AND l.user_id = %(user)s"
)


def find_work(schema: LabelSchema, id_: int, user: User) -> tuple[QueueItem, Theirs]:
    """`find_item`, and what the item has of somebody, for `work_out`."""
    row = one(
        f"SELECT {ITEM.sql}, {THEIRS} FROM labeling_queueitem q LEFT JOIN labeling_assignment n ON n.id = q.assignment_id{OF_THEM}"  # noqa: S608 - our own column names only
        " WHERE q.schema_id = %(schema)s AND q.id = %(item)s",
        {"schema": schema.pk, "item": id_, "user": user.pk},
    )
    if row is None:
        raise NotFound(what="item", name=str(id_))
    item, item.assignment, *theirs = ITEM.read(row)
    item.schema = schema
    return item, Theirs(*theirs)


def _theirs(item: QueueItem, user: User) -> Theirs:
    row = one(
        f"SELECT {THEIRS} FROM (SELECT %(item)s::bigint AS id) q{OF_THEM}",  # noqa: S608 - no values of anybody
        {"item": item.pk, "user": user.pk},
    )
    return Theirs(*cast("tuple[Any, ...]", row))


def find_annotation(schema: LabelSchema, id_: UUID) -> Annotation:
    found: Annotation | None = (
        Annotation.objects.select_related("item__schema__project", "item__assignment", "author").filter(schema=schema, pk=id_).first()
    )
    if found is None:
        raise NotFound(what="annotation", name=str(id_))
    return found


def find_comment(schema: LabelSchema, id_: UUID) -> Comment:
    found: Comment | None = Comment.objects.select_related("item__schema__project").filter(item__schema=schema, pk=id_).first()
    if found is None:
        raise NotFound(what="comment", name=str(id_))
    return found


def of_theirs(user: User | UUID) -> Q:
    """Annotations in which somebody took part."""
    return Q(author=user) | Q(pk__in=Annotation.coauthors.through.objects.filter(user=user).values("annotation"))


def took_part(annotation: Annotation, user: User) -> bool:
    return annotation.author_id == user.pk or annotation.coauthors.filter(pk=user.pk).exists()


def visible(schema: LabelSchema, user: User, role: str) -> Q:
    """Which annotations of a schema somebody may see: their own, and others' where the schema is not blind; in a blind one reviewers see
    those of complete items too. (What waits for their review is handed to them one by one, and they do not label that item: `sql/`.)"""
    own = of_theirs(user)
    if not schema.blind:
        return own if masks.masked(schema, role) else Q()
    return own | Q(item__done__gte=F("item__wanted")) if may(role, "label.review") else own


def annotation_out(row: Annotation) -> dict[str, Any]:
    fields = (
        "id", "author", "author_name", "result", "seconds", "status", "to_review", "version", "how", "support", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{f: getattr(row, f) for f in fields},
        "authors": [*([row.author] if row.author else []), *row.coauthors.all()],
        "item": row.item_id,
        "schema_version": row.schema_version.number,
        "reviews": [review_out(r) for r in row.reviews.all()],
    }


def review_out(row: Review) -> dict[str, Any]:
    return {f: getattr(row, f) for f in ("id", "reviewer", "verdict", "comment", "before", "version", "created_at")}


def _annotations(rows: QuerySet[Annotation]) -> QuerySet[Annotation]:
    return rows.select_related("author", "schema_version", "item").prefetch_related("reviews__reviewer", "coauthors")


def annotations_of(item: QueueItem, user: User, role: str) -> list[dict[str, Any]]:
    rows = _annotations(Annotation.objects.filter(visible(item.schema, user, role), item=item)).order_by("created_at")
    found = [annotation_out(a) for a in rows]
    return [masks.own_annotation(a) or a for a in found] if masks.masked(item.schema, role) else found


def annotation_by_id(schema: LabelSchema, id_: UUID) -> dict[str, Any]:
    row = _annotations(Annotation.objects.filter(schema=schema, pk=id_)).first()
    if row is None:
        raise NotFound(what="annotation", name=str(id_))
    return annotation_out(row)


def work_out(item: QueueItem, user: User, role: str, theirs: Theirs | None = None) -> dict[str, Any]:
    """An item as its annotator needs it: what is shown, their draft, their annotation, until when it is theirs. `theirs` where it was read
    with the item (`find_work`)."""
    config = wording(newest_version(item.schema))
    draft, number, drafted_at, until, comments, labelled, suggested = theirs or _theirs(item, user)
    mine = _annotations(Annotation.objects.filter(of_theirs(user), item=item)).first() if labelled else None
    hidden = masks.masked(item.schema, role)
    said = annotation_out(mine) if mine else None
    return {
        **(masks.own_part(item_out(item), mine is not None) if hidden else item_out(item)),
        "data": shown_values(item, config),
        "urls": _urls(item, config),
        "pyramids": _pyramids(item, config),
        "mine": masks.own_annotation(said) if hidden else said,
        "draft": {"result": json.loads(draft), "number": number, "updated_at": drafted_at} if draft is not None else None,
        "leased_until": until,
        "assignment": {"id": item.assignment.pk, "name": item.assignment.name, "due_at": item.assignment.due_at}
        if item.assignment and not hidden
        else None,
        "comments": len(comments_of(item, user, role)) if hidden and comments else comments,
        "suggestions": suggestions_of(item) if suggested else [],
    }


def suggestions_of(item: QueueItem) -> list[dict[str, Any]]:
    """The newest of each model's version, newest first."""
    found: dict[str, dict[str, Any]] = {}
    for row in item.suggestions.order_by("-id")[:50]:
        found.setdefault(row.model_version, {f: getattr(row, f) for f in ("id", "model_version", "score", "result")})
    return list(found.values())


def shown_suggestions(item: QueueItem) -> list[dict[str, Any]]:
    """The same as people are shown it: nothing of what is held back."""
    return [] if HeldBack.objects.filter(item=item).exists() else suggestions_of(item)


def shown_values(item: QueueItem, config: LabelConfig) -> dict[str, Any]:
    """{variable: value} of what is in the data."""
    by_object = shown_data(item, config)
    return {**item.data, **{o.value: by_object[o.name] for o in config.objects if o.tag not in FILES}}


def _base(item: QueueItem) -> str:
    return f"/api/v1/projects/{item.schema.project.slug}/label-schemas/{item.schema.slug}/items/{item.pk}"


def _urls(item: QueueItem, config: LabelConfig) -> dict[str, str]:
    return {o.name: f"{_base(item)}/file" for o in config.objects if o.tag in FILES}


def _pyramids(item: QueueItem, config: LabelConfig) -> dict[str, dict[str, str]]:
    if not pyramids.in_tiles(item.media_type, item.width, item.height):
        return {}
    base = _base(item)
    at = {"overview": f"{base}/file?overview=true", "pyramid": f"{base}/pyramid", "tiles": f"{base}/tiles"}
    return {o.name: at for o in config.objects if o.tag == "Image"}


def file_of(item: QueueItem) -> tuple[str, str]:
    """(name, digest) of an item's bytes; raises NoSuchFile for a row of a table, which has none."""
    if item.media_type == "application/json":
        raise NoSuchFile(name=item.key)
    return item.key.rsplit("/", 1)[-1], item.digest


def picture_of(item: QueueItem) -> str:
    """The digest of an item that is an image; raises NoSuchFile."""
    if not item.media_type.startswith("image/"):
        raise NoSuchFile(name=item.key)
    return item.digest


def item_out(item: QueueItem) -> dict[str, Any]:
    fields = ("id", "key", "media_type", "width", "height", "wanted", "done", "removed", "position")
    return {**{f: getattr(item, f) for f in fields}, "truth": item.truth_id}


def list_items(
    schema: LabelSchema,
    user: User,
    role: str,
    *,
    state: str | None,
    search: str | None,
    person: UUID | None,
    cursor: str | None,
    limit: int,
) -> dict[str, Any]:
    """A page of the queue in the order of the data set."""
    rows = QueueItem.objects.filter(schema=schema).filter(removed=state == "removed")
    if state is not None:
        rows = rows.filter(masks.own_state(state, user) if masks.masked(schema, role) else _state(state, user))
    if search and search.strip():
        rows = rows.filter(key__icontains=search.strip())
    if person is not None:
        if person != user.pk and (schema.blind or masks.masked(schema, role)) and not may(role, "label.review"):
            raise InvalidInput(message="You see your own work only.", field="person")
        rows = rows.filter(Exists(Annotation.objects.filter(of_theirs(person), item=OuterRef("pk"))))
    page: Any = paginate(rows.prefetch_related("leases__user"), ("position", "id"), cursor, limit)
    found = []
    hidden = masks.masked(schema, role)
    labelled = masks.labelled_by(user, page["items"]) if hidden else set()
    for item in page["items"]:
        leases = [{"user": x.user, "until": x.until} for x in item.leases.all() if not hidden or x.user_id == user.pk]
        out = item_out(item)
        found.append({**(masks.own_part(out, item.pk in labelled) if hidden else out), "leases": leases})
    return {**page, "items": found}


def _state(state: str, user: User) -> Q:
    said = Annotation.objects.filter(item=OuterRef("pk"))
    waiting = Q(Exists(said.filter(to_review=True, status="submitted")))
    found = {
        "open": Q(done__lt=F("wanted")),
        "complete": Q(done__gte=F("wanted")),
        "differing": Q(done__gte=F("wanted"), truth=None) & ~waiting & ~Q(Exists(said.filter(status="rejected"))),
        "to_review": waiting,
        "rejected": Q(Exists(said.filter(status="rejected"))),
        "truth": Q(truth__isnull=False),
        "skipped": Q(Exists(Skip.objects.filter(item=OuterRef("pk")))),
        "commented": Q(Exists(Comment.objects.filter(item=OuterRef("pk"), resolved_at=None))),
        "removed": Q(),
    }
    return found[state]


def comments_of(item: QueueItem, user: User, role: str) -> list[dict[str, Any]]:
    shown = Comment.objects.filter(item=item)
    if masks.masked(item.schema, role):
        shown = shown.filter(pk__in=Comment.objects.filter(masks.own_comments(user), item=item).values("pk"))
    rows = shown.select_related("author", "resolved_by").prefetch_related("mentions").order_by("created_at")
    return [comment_out(c) for c in rows]


def comment_out(row: Comment) -> dict[str, Any]:
    fields = ("id", "author", "text", "asks", "created_at", "resolved_at", "resolved_by")
    return {**{f: getattr(row, f) for f in fields}, "mentions": list(row.mentions.all())}
