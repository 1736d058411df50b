"""HTTP of `similarity`: routes, schemas, permission; nothing else."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Query, Router, Status

from backend.artifacts.responses import FOREVER, bytes_of, small_response, stored_response
from backend.artifacts.thumbnails import thumbnail as make_thumbnail
from backend.core.http import ApiRequest, allow
from backend.core.schemas import Text
from backend.datasets.queries.datasets import find_dataset
from backend.labeling.models import LabelSchema
from backend.labeling.queries.schemas import find_schema
from backend.similarity.actions import aside, bulk, doubting, ordering, spaces
from backend.similarity.actions.announce import announce_waiting
from backend.similarity.queries import bulks, doubts, duplicates, near, orders
from backend.similarity.queries import map as maps
from backend.similarity.queries import spaces as read
from backend.similarity.schemas import (
    AsideIn,
    BulkIn,
    BulkMadeOut,
    BulkOut,
    ChosenIn,
    ClusterOut,
    Colouring,
    DecideDoubtIn,
    DoubtOut,
    DoubtsIn,
    DoubtsNowOut,
    DuplicatesOut,
    NearState,
    OrderIn,
    OrderOut,
    PointsOut,
    SpaceIn,
    SpaceItemOut,
    SpaceOut,
    SpacesOut,
    UndoneOut,
)

router = Router(tags=["similarity"])
SPACES = "/projects/{project}/datasets/{dataset}/spaces"
SPACE = SPACES + "/{uuid:space}"
SCHEMA = "/projects/{project}/label-schemas/{label_schema}"
Digest = Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")]
Most = Annotated[int, Query(ge=1, le=near.MOST)]


def _schema(request: ApiRequest, slug: str | None) -> LabelSchema | None:
    return find_schema(request.project, slug) if slug else None


@router.get(SPACES, response=SpacesOut)
@allow("dataset.read")
def list_spaces(request: ApiRequest, project: str, dataset: str) -> Any:
    """The embeddings of a data set, and what could be computed."""
    announce_waiting()
    return read.spaces_out(find_dataset(request.project, dataset))


@router.post(SPACES, response={202: SpaceOut})
@allow("dataset.write")
def compute_space(request: ApiRequest, project: str, dataset: str, payload: SpaceIn) -> Any:
    """Embed the newest frozen version; of a space that is there already, only what is new."""
    found = find_dataset(request.project, dataset)
    made = spaces.start(request, found, request.user, payload.model_dump())
    return Status(202, read.space_out(made, found.versions.filter(status="frozen").order_by("-number").first()))


@router.get(SPACE, response=SpaceOut)
@allow("dataset.read")
def get_space(request: ApiRequest, project: str, dataset: str, space: UUID) -> Any:
    """One space and how far it is."""
    found = read.find_space(request.project, dataset, space)
    return read.space_out(found, found.dataset.versions.filter(status="frozen").order_by("-number").first())


@router.post(SPACE + "/cancel", response=SpaceOut)
@allow("dataset.write")
def cancel_space(request: ApiRequest, project: str, dataset: str, space: UUID) -> Any:
    """Stop computing; what is done stays, and is not computed again."""
    spaces.cancel(request, read.find_space(request.project, dataset, space))
    return get_space(request, project=project, dataset=dataset, space=space)


@router.delete(SPACE, response={204: None})
@allow("dataset.write")
def delete_space(request: ApiRequest, project: str, dataset: str, space: UUID) -> Any:
    """Forget its vectors; they can be computed again."""
    spaces.remove(request, read.find_space(request.project, dataset, space))
    return Status(204, None)


@router.get(SPACE + "/near", response=list[SpaceItemOut])
@allow("dataset.read")
def find_near(
    request: ApiRequest,
    project: str,
    dataset: str,
    space: UUID,
    like: Digest | None = None,
    item: Annotated[int, Query(ge=1, le=2**53)] | None = None,
    text: Text | None = None,
    label_schema: str | None = None,
    state: NearState | None = None,
    label: Text | None = None,
    limit: Most = 60,
) -> Any:
    """What lies nearest to a content (`like`: its digest), an `item` of the schema's queue or words (`text`); with `label_schema` only
    items of its queue, and what the caller may know of their labels."""
    found = read.find_space(request.project, dataset, space)
    schema = near.schema_for(_schema(request, label_schema), found, state, label)
    vector, leave_out = near.asked(found, schema, like, item, text)
    return near.near(
        found, vector, schema=schema, user=request.user, role=request.role, state=state, label=label, limit=limit, leave_out=leave_out
    )


@router.get(SPACE + "/points", response=PointsOut)
@allow("dataset.read")
def list_points(
    request: ApiRequest, project: str, dataset: str, space: UUID, label_schema: str | None = None, by: Colouring = "cluster"
) -> Any:
    """The map: all its points, coloured by cluster, label, annotator or suggested label."""
    found = read.find_space(request.project, dataset, space)
    return maps.points(found, near.schema_for(_schema(request, label_schema), found), request.user, request.role, by)


@router.get(SPACE + "/clusters", response=list[ClusterOut])
@allow("dataset.read")
def list_clusters(request: ApiRequest, project: str, dataset: str, space: UUID, label_schema: str | None = None) -> Any:
    """Its clusters with what is typical of each, largest first."""
    found = read.find_space(request.project, dataset, space)
    return maps.clusters(found, near.schema_for(_schema(request, label_schema), found), request.user, request.role)


@router.post(SPACE + "/items", response=list[SpaceItemOut])
@allow("dataset.read")
def list_chosen(request: ApiRequest, project: str, dataset: str, space: UUID, payload: ChosenIn, label_schema: str | None = None) -> Any:
    """Points of the map as items: some by their ids, or the first 2,000 of a cluster. Changes nothing."""
    found = read.find_space(request.project, dataset, space)
    ids = payload.ids if payload.cluster is None else maps.members(found, payload.cluster)[:2_000]
    return maps.items(found, near.schema_for(_schema(request, label_schema), found), request.user, request.role, ids)


@router.get(SPACE + "/pictures/{digest}", summary="The bytes of a picture, or its thumbnail", openapi_extra=bytes_of("*/*", ranges=True))
@allow("dataset.read")
def space_picture(request: ApiRequest, project: str, dataset: str, space: UUID, digest: str, thumbnail: bool = False) -> HttpResponseBase:
    """The bytes of a picture, or its thumbnail."""
    name, media_type = near.picture(read.find_space(request.project, dataset, space), digest)
    if thumbnail:
        return small_response(request, make_thumbnail(digest), filename=f"{name}.webp", media_type="image/webp", digest=f"{digest}.t")
    return stored_response(request, digest, filename=name, media_type=media_type, cache=FOREVER)


@router.get(SCHEMA + "/duplicates", response=DuplicatesOut)
@allow("label.read")
def list_duplicates(
    request: ApiRequest, project: str, label_schema: str, space: UUID | None = None, distance: Annotated[float, Query(ge=0, le=0.05)] = 0.01
) -> Any:
    """Groups of items that are the same (distance 0), or nearly."""
    schema = find_schema(request.project, label_schema)
    return duplicates.groups(near.space_of(schema, space), schema, request.user, request.role, distance)


@router.post(SCHEMA + "/aside", response={201: BulkMadeOut})
@allow("label.manage")
def set_aside(request: ApiRequest, project: str, label_schema: str, payload: AsideIn) -> Any:
    """Take items out of the queue, as duplicates of others; undone by the answer's id."""
    made = aside.set_aside(request, find_schema(request.project, label_schema), request.user, payload.items)
    return Status(201, {"id": made.pk, "count": made.count, "refused": []})


@router.get(SCHEMA + "/bulks", response=list[BulkOut])
@allow("label.read")
def list_bulks(request: ApiRequest, project: str, label_schema: str) -> Any:
    """What was done to many items at once, newest first, as far as the caller may know."""
    return bulks.bulks_out(find_schema(request.project, label_schema), request.user, request.role)


@router.post(SCHEMA + "/bulks", response={201: BulkMadeOut})
@allow("label.annotate")
def label_in_bulk(request: ApiRequest, project: str, label_schema: str, payload: BulkIn) -> Any:
    """The same label for many items, by the rules of submitting one; those refused are listed with why."""
    schema = find_schema(request.project, label_schema)
    made, refused = bulk.label(request, schema, request.user, **payload.model_dump())
    return Status(201, {"id": made.pk, "count": made.count, "refused": refused})


@router.post(SCHEMA + "/bulks/{uuid:bulk_id}/undo", response=UndoneOut)
@allow("label.annotate")
def undo_bulk(request: ApiRequest, project: str, label_schema: str, bulk_id: UUID) -> Any:
    """Take back what was done to many items at once."""
    found = bulks.find_bulk(find_schema(request.project, label_schema), bulk_id)
    return bulk.undo(request, found, request.user, request.role)


@router.get(SCHEMA + "/doubts", response=DoubtsNowOut)
@allow("label.read")
def get_doubts(request: ApiRequest, project: str, label_schema: str) -> Any:
    """How the look for wrong labels stands."""
    announce_waiting()
    return doubts.check_out(find_schema(request.project, label_schema), request.user, request.role)


@router.post(SCHEMA + "/doubts", response={202: DoubtsNowOut})
@allow("label.review")
def look_for_doubts(request: ApiRequest, project: str, label_schema: str, payload: DoubtsIn) -> Any:
    """Look for labels that are probably wrong, in the worker."""
    schema = find_schema(request.project, label_schema)
    doubting.start(request, schema, near.space_of(schema, payload.space))
    return Status(202, doubts.check_out(schema, request.user, request.role))


@router.get(SCHEMA + "/doubts/list", response=list[DoubtOut])
@allow("label.read")
def list_doubts(request: ApiRequest, project: str, label_schema: str, decided: bool = False, limit: Most = 50) -> Any:
    """Labels that are probably wrong, the surest first; or what was decided, newest first."""
    return doubts.doubts_out(find_schema(request.project, label_schema), request.user, request.role, decided, limit)


@router.post(SCHEMA + "/doubts/{int:doubt}", response=DoubtOut)
@allow("label.review")
def decide_doubt(request: ApiRequest, project: str, label_schema: str, doubt: int, payload: DecideDoubtIn) -> Any:
    """Keep the label, relabel, or send it to a reviewer; it is not shown again."""
    found = doubts.find_doubt(find_schema(request.project, label_schema), doubt)
    return doubts.doubt_out(doubting.decide(request, found, request.user, payload.decision, payload.label))


@router.get(SCHEMA + "/order", response=OrderOut)
@allow("label.read")
def get_order(request: ApiRequest, project: str, label_schema: str) -> Any:
    """In which order the queue is worked, and which are possible."""
    announce_waiting()
    return orders.order_out(find_schema(request.project, label_schema))


@router.put(SCHEMA + "/order", response=OrderOut)
@allow("label.manage")
def set_order(request: ApiRequest, project: str, label_schema: str, payload: OrderIn) -> Any:
    """Set it; “diverse” and “value” are made in the worker."""
    schema = find_schema(request.project, label_schema)
    ordering.set_order(request, schema, payload.order, payload.column, payload.descending)
    return orders.order_out(find_schema(request.project, label_schema))
