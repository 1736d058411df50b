"""HTTP of triggers: routes, schemas, permission; nothing else."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router, Status

from backend.core.http import ApiRequest, allow, public
from backend.core.idempotency import idempotent
from backend.core.schemas import Limit, Page
from backend.runs.triggers import actions, hooks, queries
from backend.runs.triggers.events import MOST_BYTES
from backend.runs.triggers.schemas import (
    CronTimes,
    EventStatus,
    FireIn,
    HookOut,
    TriggerEventDetail,
    TriggerEventOut,
    TriggerIn,
    TriggerKindOut,
    TriggerOut,
    TriggerPatch,
)

router = Router(tags=["triggers"])
Words = Annotated[str, Query(max_length=100)]
HOOK_HEADERS = {
    "X-Headrace-Signature": "`t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 with the webhook's secret over `t.body`",
    "X-Hub-Signature-256": "Or `sha256=<hex>`: HMAC-SHA256 over the body, as GitHub signs",
    "Idempotency-Key": "Names the event where it is no CloudEvent; otherwise the body's digest does",
}
HOOK_DOCUMENT = {
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": {}}, "application/cloudevents+json": {"schema": {"type": "object"}}},
        "description": "JSON of at most 64 KiB; a CloudEvent, structured or (with `ce-…` headers) binary, is understood.",
    },
    "parameters": [
        {"in": "path", "name": "token", "required": True, "schema": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}},
        *({"in": "header", "name": n, "required": False, "schema": {"type": "string"}, "description": d} for n, d in HOOK_HEADERS.items()),
    ],
}


@router.get("/projects/{project}/trigger-kinds", response=list[TriggerKindOut])
@allow("trigger.read")
def list_trigger_kinds(request: ApiRequest, project: str) -> Any:
    """What can start a run, each with its form."""
    return queries.kinds_out()


@router.get("/projects/{project}/cron-times", response=CronTimes)
@allow("trigger.read")
def preview_cron_times(request: ApiRequest, project: str, schedule: Words, time_zone: Words = "UTC") -> Any:
    """The next times of a schedule."""
    return queries.cron_times(schedule, time_zone)


@router.get("/projects/{project}/triggers", response=list[TriggerOut])
@allow("trigger.read")
def list_triggers(request: ApiRequest, project: str, deleted: bool = False) -> Any:
    """Triggers, or the deleted ones."""
    return queries.list_triggers(request.project, deleted)


@router.post("/projects/{project}/triggers", response={201: TriggerOut})
@allow("trigger.write")
def create_trigger(request: ApiRequest, project: str, payload: TriggerIn) -> Any:
    """Make a trigger; a webhook's secret is in this answer only."""
    made, secret = actions.create(request.project, request.user, payload.kind, payload.dict(exclude={"kind"}))
    return Status(201, queries.get_trigger(request.project, made.slug, secret))


@router.get("/projects/{project}/triggers/{trigger}", response=TriggerOut)
@allow("trigger.read")
def get_trigger(request: ApiRequest, project: str, trigger: str) -> Any:
    """One trigger."""
    return queries.get_trigger(request.project, trigger)


@router.patch("/projects/{project}/triggers/{trigger}", response=TriggerOut)
@allow("trigger.write")
def update_trigger(request: ApiRequest, project: str, trigger: str, payload: TriggerPatch) -> Any:
    """Change; its runs start in the name of whoever changed it last."""
    fields = payload.dict(exclude_unset=True)
    given = {name: value for name, value in fields.items() if value is not None or name == "version"}
    actions.update(queries.find(request.project, trigger), request.user, given)
    return queries.get_trigger(request.project, trigger)


@router.delete("/projects/{project}/triggers/{trigger}", response={204: None})
@allow("trigger.write")
def delete_trigger(request: ApiRequest, project: str, trigger: str) -> Any:
    """Soft delete; can be restored."""
    actions.delete(queries.find(request.project, trigger), request.user)
    return Status(204, None)


@router.post("/projects/{project}/triggers/{trigger}/restore", response=TriggerOut)
@allow("trigger.write")
def restore_trigger(request: ApiRequest, project: str, trigger: str) -> Any:
    """Bring a deleted trigger back."""
    actions.restore(queries.find(request.project, trigger), request.user)
    return queries.get_trigger(request.project, trigger)


@router.post("/projects/{project}/triggers/{trigger}/enable", response=TriggerOut)
@allow("trigger.write")
def enable_trigger(request: ApiRequest, project: str, trigger: str) -> Any:
    """Switch on."""
    actions.switch(queries.find(request.project, trigger), request.user, True)
    return queries.get_trigger(request.project, trigger)


@router.post("/projects/{project}/triggers/{trigger}/disable", response=TriggerOut)
@allow("trigger.write")
def disable_trigger(request: ApiRequest, project: str, trigger: str) -> Any:
    """Switch off."""
    actions.switch(queries.find(request.project, trigger), request.user, False)
    return queries.get_trigger(request.project, trigger)


@router.post("/projects/{project}/triggers/{trigger}/secret", response=TriggerOut)
@allow("trigger.write")
def change_trigger_secret(request: ApiRequest, project: str, trigger: str) -> Any:
    """Another secret for a webhook; it is in this answer only, and the earlier one is good no more."""
    changed, secret = actions.new_signing_secret(queries.find(request.project, trigger), request.user)
    return queries.get_trigger(request.project, changed.slug, secret)


@router.post("/projects/{project}/triggers/{trigger}/fire", response={201: TriggerEventDetail})
@allow("trigger.fire")
@idempotent()
def fire_trigger(request: ApiRequest, project: str, trigger: str, payload: FireIn) -> Any:
    """Make an event by hand and start its run at once, whatever the limits."""
    event = actions.fire_by_hand(queries.find(request.project, trigger), request.user, payload.data)
    return Status(201, queries.event_detail(event))


@router.get("/projects/{project}/triggers/{trigger}/events", response=Page[TriggerEventOut])
@allow("trigger.read")
def list_trigger_events(
    request: ApiRequest, project: str, trigger: str, status: EventStatus | None = None, cursor: str | None = None, limit: Limit = 50
) -> Any:
    """The history, newest first."""
    return queries.list_events(queries.find(request.project, trigger), status, cursor, limit)


@router.get("/projects/{project}/triggers/{trigger}/events/{uuid:event_id}", response=TriggerEventDetail)
@allow("trigger.read")
def get_trigger_event(request: ApiRequest, project: str, trigger: str, event_id: UUID) -> Any:
    """One event with its content."""
    return queries.event_detail(queries.find_event(queries.find(request.project, trigger), event_id))


@router.post("/projects/{project}/triggers/{trigger}/events/{uuid:event_id}/replay", response={201: TriggerEventDetail})
@allow("trigger.fire")
@idempotent()
def replay_trigger_event(request: ApiRequest, project: str, trigger: str, event_id: UUID) -> Any:
    """The same event again, at once."""
    event = actions.replay(queries.find_event(queries.find(request.project, trigger), event_id), request.user)
    return Status(201, queries.event_detail(event))


@router.post("/hooks/{token}", response={202: HookOut}, auth=None, openapi_extra=HOOK_DOCUMENT)
@public
def call_hook(request: ApiRequest, token: str) -> Any:
    """Send a webhook an event. It is signed with the webhook's secret; no account or token is needed."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    body = None if length.isdigit() and int(length) > MOST_BYTES else request.read(MOST_BYTES + 1)
    event = hooks.take_request(token, None if body is None or len(body) > MOST_BYTES else body, request.headers)
    return Status(202, {"event": event.pk, "status": event.status})
