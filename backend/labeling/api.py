"""HTTP of `labeling`: routes, schemas, permission; nothing else."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Router, Status

from backend.artifacts import pyramids
from backend.artifacts.responses import FOREVER, bytes_of, overview_response, small_response, stored_response
from backend.artifacts.schemas import PyramidOut
from backend.core.http import ApiRequest, allow
from backend.core.schemas import Limit, Page, Text
from backend.datasets.schemas import Wait
from backend.labeling.actions import announce, assignments, labelled, queue, review, schemas, truth, wording
from backend.labeling.queries import items as read
from backend.labeling.queries import labelled as versions
from backend.labeling.queries import masks, waiting
from backend.labeling.queries.schemas import find_schema, list_schemas, people, schema_out, version_out, versions_out
from backend.labeling.schemas import (
    AdjudicateIn,
    AnnotationDraftIn,
    AnnotationOut,
    AssignmentIn,
    AssignmentOut,
    CommentIn,
    CommentOut,
    DraftKeptOut,
    LabelledIn,
    LabelledOut,
    LabelSchemaIn,
    LabelSchemaOut,
    LabelSchemaPatch,
    ListedItemOut,
    NextIn,
    NextOut,
    NextReviewIn,
    NextReviewOut,
    PersonProgressOut,
    PresenceOut,
    ReviewIn,
    SkipIn,
    State,
    SubmitIn,
    SubmittedOut,
    WordingCheckIn,
    WordingCheckOut,
    WordingIn,
    WordingOut,
    WorkOut,
)

router = Router(tags=["labeling"])
BASE = "/projects/{project}/label-schemas"
ONE = BASE + "/{label_schema}"
ITEM = ONE + "/items/{int:item}"
ANNOTATION = ONE + "/annotations/{uuid:annotation}"


@router.get(BASE, response=list[LabelSchemaOut])
@allow("label.read")
def list_label_schemas(
    request: ApiRequest, project: str, search: Text | None = None, dataset: str | None = None, deleted: bool = False
) -> Any:
    """Label schemas with the progress of their queues."""
    return masks.progress(list_schemas(request.project, search, dataset, deleted), request.role)


@router.post(BASE, response={201: LabelSchemaOut})
@allow("label.manage")
def make_label_schema(request: ApiRequest, project: str, payload: LabelSchemaIn) -> Any:
    """Begin to label a data set; the queue is filled from its newest frozen version."""
    made = schemas.make_schema(request, request.project, request.user, payload.model_dump())
    return Status(201, schema_out(request.project, made.slug))


@router.post(BASE + "/check", response=WordingCheckOut)
@allow("label.read")
def check_label_schema(request: ApiRequest, project: str, payload: WordingCheckIn) -> Any:
    """What an XML asks for, what is wrong with it, and what of a schema's annotations it would leave out. Nothing is changed."""
    return wording.checked(request.project, payload.xml, payload.dataset, payload.schema_)


@router.get(ONE, response=LabelSchemaOut)
@allow("label.read")
def get_label_schema(request: ApiRequest, project: str, label_schema: str) -> Any:
    """One label schema."""
    (found,) = masks.progress([schema_out(request.project, label_schema)], request.role)
    if found["fill_status"] in ("queued", "running"):
        announce.announce_waiting()
    return found


@router.patch(ONE, response=LabelSchemaOut)
@allow("label.manage")
def update_label_schema(request: ApiRequest, project: str, label_schema: str, payload: LabelSchemaPatch) -> Any:
    """Name, overlap, share of reviews, how people work together, order."""
    schemas.set_schema(request, request.project, label_schema, payload.model_dump(exclude_none=True))
    return schema_out(request.project, label_schema)


@router.delete(ONE, response={204: None})
@allow("label.manage")
def delete_label_schema(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Soft delete; annotations stay, it can be restored."""
    schemas.delete_schema(request, request.project, label_schema)
    return Status(204, None)


@router.post(ONE + "/restore", response=LabelSchemaOut)
@allow("label.manage")
def restore_label_schema(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Undo a delete."""
    schemas.restore_schema(request, request.project, label_schema)
    return schema_out(request.project, label_schema)


@router.post(ONE + "/fill", response={202: LabelSchemaOut})
@allow("label.manage")
def fill_queue(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Bring the queue to the data set's newest frozen version; what was labelled stays."""
    schemas.refill_now(request, request.project, label_schema)
    return Status(202, schema_out(request.project, label_schema))


@router.get(ONE + "/versions", response=list[WordingOut])
@allow("label.read")
def list_wordings(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Its wordings, newest first."""
    return versions_out(find_schema(request.project, label_schema))


@router.post(ONE + "/versions", response={201: WordingOut})
@allow("label.manage")
def word_anew(request: ApiRequest, project: str, label_schema: str, payload: WordingIn) -> Any:
    """The next wording; refused where it would leave out labels that annotations use and `mapping` does not name."""
    made = schemas.word_anew(
        request,
        request.project,
        request.user,
        label_schema,
        xml=payload.xml,
        guidelines=payload.guidelines,
        base=payload.base,
        mapping=payload.mapping,
    )
    return Status(201, version_out(made))


@router.post(ONE + "/next", response=NextOut)
@allow("label.annotate")
def next_item(request: ApiRequest, project: str, label_schema: str, payload: NextIn) -> Any:
    """The next item to label, held for the caller."""
    found = find_schema(request.project, label_schema)
    item = queue.next_item(found, request.user, payload.holding)
    if item is None:
        return {"item": None, "waiting": waiting.places_taken(found, request.user)}
    work, theirs = read.find_work(found, item, request.user)
    return {"item": read.work_out(work, request.user, request.role, theirs), "waiting": 0}


@router.get(ONE + "/items", response=Page[ListedItemOut])
@allow("label.read")
def list_queue(
    request: ApiRequest,
    project: str,
    label_schema: str,
    state: State | None = None,
    search: Text | None = None,
    person: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Any:
    """The queue, in the order of the data set. `person`: what they labelled."""
    found = find_schema(request.project, label_schema)
    return read.list_items(found, request.user, request.role, state=state, search=search, person=person, cursor=cursor, limit=limit)


@router.get(ONE + "/presence", response=list[PresenceOut])
@allow("label.read")
def list_presence(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Who has which item open now, as far as the caller may know."""
    return waiting.here(find_schema(request.project, label_schema), request.user, request.role)


@router.get(ITEM, response=WorkOut)
@allow("label.read")
def get_item(request: ApiRequest, project: str, label_schema: str, item: int) -> Any:
    """One item, with the caller's own draft and annotation."""
    return read.work_out(read.item_at(request.project, label_schema, item), request.user, request.role)


@router.get(ITEM + "/file", summary="The bytes of an image", openapi_extra=bytes_of("*/*", ranges=True))
@allow("label.read")
def item_file(request: ApiRequest, project: str, label_schema: str, item: int, overview: bool = False) -> HttpResponseBase:
    """The bytes of an image. `overview`: as wide as a screen at most."""
    found = read.item_at(request.project, label_schema, item)
    name, digest = read.file_of(found)
    if overview and found.media_type.startswith("image/"):
        return overview_response(request, digest, name)
    return stored_response(request, digest, filename=name, media_type=found.media_type, cache=FOREVER)


@router.get(ITEM + "/pyramid", response=PyramidOut)
@allow("label.read")
def item_pyramid(request: ApiRequest, project: str, label_schema: str, item: int, wait: Wait = 2.0) -> Any:
    """A large image in tiles: how large it is and how far its tiles are. They are made while you wait, at most `wait` seconds; as long as
    `progress` is below 1 ask again. Level 0 has the image's own pixels, each further one half of them."""
    return pyramids.look(read.picture_of(read.item_at(request.project, label_schema, item)), wait).as_json()


@router.get(ITEM + "/tiles/{int:level}/{int:column}/{int:row}", openapi_extra=bytes_of("image/jpeg", "image/webp"))
@allow("label.read")
def item_tile(request: ApiRequest, project: str, label_schema: str, item: int, level: int, column: int, row: int) -> HttpResponseBase:
    """A tile of a large image; 404 where there is none, or none yet."""
    digest = read.picture_of(read.item_at(request.project, label_schema, item))
    data, media_type = pyramids.tile(digest, level, column, row)
    ending = media_type.removeprefix("image/")
    return small_response(
        request, data, filename=f"{level}-{column}-{row}.{ending}", media_type=media_type, digest=f"{digest}.{level}.{column}.{row}"
    )


@router.put(ITEM + "/draft", response=DraftKeptOut)
@allow("label.annotate")
def save_draft(request: ApiRequest, project: str, label_schema: str, item: int, payload: AnnotationDraftIn) -> Any:
    """Keep what the caller has so far, and hold the item on."""
    found = read.item_at(request.project, label_schema, item)
    return {"number": queue.save_draft(found, request.user, payload.result, payload.number)}


@router.post(ITEM + "/submit", response=SubmittedOut)
@allow("label.annotate")
def submit_annotation(request: ApiRequest, project: str, label_schema: str, item: int, payload: SubmitIn) -> Any:
    """Submit the caller's annotation, or change it."""
    found = read.item_at(request.project, label_schema, item)
    return queue.submit(
        request, found, request.user, id_=payload.id, schema_version=payload.schema_version, result=payload.result, seconds=payload.seconds,
        version=payload.version,
    )  # fmt: skip


@router.post(ITEM + "/skip", response={204: None})
@allow("label.annotate")
def skip_item(request: ApiRequest, project: str, label_schema: str, item: int, payload: SkipIn) -> Any:
    """Let an item go and not be given it again; the draft stays."""
    queue.leave(request, read.item_at(request.project, label_schema, item), request.user, skip=True, reason=payload.reason)
    return Status(204, None)


@router.post(ITEM + "/release", response={204: None})
@allow("label.annotate")
def release_item(request: ApiRequest, project: str, label_schema: str, item: int) -> Any:
    """Let an item go; somebody else, or the caller again, may be given it."""
    queue.leave(request, read.item_at(request.project, label_schema, item), request.user, skip=False)
    return Status(204, None)


@router.get(ITEM + "/annotations", response=list[AnnotationOut])
@allow("label.read")
def list_annotations(request: ApiRequest, project: str, label_schema: str, item: int) -> Any:
    """What was said of an item, as far as the caller may see it."""
    return read.annotations_of(read.item_at(request.project, label_schema, item), request.user, request.role)


@router.post(ITEM + "/truth", response=AnnotationOut)
@allow("label.review")
def adjudicate(request: ApiRequest, project: str, label_schema: str, item: int, payload: AdjudicateIn) -> Any:
    """Choose one of an item's annotations as its ground truth."""
    found = find_schema(request.project, label_schema)
    chosen = truth.adjudicate(request, read.find_item(found, item), request.user, payload.annotation, payload.comment)
    return read.annotation_by_id(found, chosen.pk)


@router.get(ITEM + "/comments", response=list[CommentOut])
@allow("label.read")
def list_comments(request: ApiRequest, project: str, label_schema: str, item: int) -> Any:
    """Remarks on an item, oldest first."""
    return read.comments_of(read.item_at(request.project, label_schema, item), request.user, request.role)


@router.post(ITEM + "/comments", response={201: CommentOut})
@allow("label.annotate")
def comment_on_item(request: ApiRequest, project: str, label_schema: str, item: int, payload: CommentIn) -> Any:
    """Remark on an item; `asks` a reviewer to look."""
    found = read.item_at(request.project, label_schema, item)
    made = review.comment_on(request, found, request.user, text=payload.text, asks=payload.asks, mentions=payload.mentions)
    return Status(201, read.comment_out(made))


@router.post(ONE + "/comments/{uuid:comment}/resolve", response=CommentOut)
@allow("label.annotate")
def resolve_comment(request: ApiRequest, project: str, label_schema: str, comment: UUID) -> Any:
    """Say that a remark is dealt with."""
    found = read.find_comment(find_schema(request.project, label_schema), comment)
    return read.comment_out(review.resolve(request, found, request.user))


@router.post(ONE + "/review/next", response=NextReviewOut)
@allow("label.review")
def next_review(request: ApiRequest, project: str, label_schema: str, payload: NextReviewIn) -> Any:
    """The next annotation that waits for a reviewer other than its author, held for the caller."""
    found = find_schema(request.project, label_schema)
    id_ = review.next_review(found, request.user, payload.holding)
    if id_ is None:
        return {"work": None, "waiting": waiting.reviews(found)}
    annotation = read.find_annotation(found, id_)
    item = read.work_out(annotation.item, request.user, request.role)
    return {"work": {"annotation": read.annotation_by_id(found, id_), "item": item}, "waiting": 0}


@router.post(ANNOTATION + "/review", response=AnnotationOut)
@allow("label.review")
def review_annotation(request: ApiRequest, project: str, label_schema: str, annotation: UUID, payload: ReviewIn) -> Any:
    """Accept, accept with changes, or reject with a reason."""
    found = find_schema(request.project, label_schema)
    review.review(
        request, read.find_annotation(found, annotation), request.user, verdict=payload.verdict, comment=payload.comment,
        result=payload.result, version=payload.version,
    )  # fmt: skip
    return read.annotation_by_id(found, annotation)


@router.get(ONE + "/assignments", response=list[AssignmentOut])
@allow("label.read")
def list_assignments(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Who labels what."""
    return versions.assignments(find_schema(request.project, label_schema))


@router.post(ONE + "/assignments", response={201: list[AssignmentOut]})
@allow("label.manage")
def assign_items(request: ApiRequest, project: str, label_schema: str, payload: AssignmentIn) -> Any:
    """Set items aside for people; answers all assignments."""
    found = find_schema(request.project, label_schema)
    assignments.assign(request, found, request.user, **payload.model_dump())
    return Status(201, versions.assignments(found))


@router.delete(ONE + "/assignments/{uuid:assignment}", response={204: None})
@allow("label.manage")
def unassign_items(request: ApiRequest, project: str, label_schema: str, assignment: UUID) -> Any:
    """Give what is left of an assignment back to everybody."""
    assignments.unassign(request, find_schema(request.project, label_schema), assignment)
    return Status(204, None)


@router.get(ONE + "/people", response=list[PersonProgressOut])
@allow("label.read")
def list_people(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Who labelled how much and how well; annotators see themselves."""
    return people(find_schema(request.project, label_schema), waiting.only(request.user, request.role))


@router.get(ONE + "/labelled", response=list[LabelledOut])
@allow("label.read")
def list_labelled(request: ApiRequest, project: str, label_schema: str) -> Any:
    """Data set versions made from its ground truth, newest first."""
    announce.announce_waiting()
    return versions.labelled_versions(find_schema(request.project, label_schema))


@router.post(ONE + "/labelled", response={202: LabelledOut})
@allow("label.manage")
def freeze_labels(request: ApiRequest, project: str, label_schema: str, payload: LabelledIn) -> Any:
    """Make a frozen version of the data set with the ground truth."""
    made = labelled.freeze_labels(request, request.project, request.user, label_schema, payload.note)
    return Status(202, versions.labelled_out(made))
