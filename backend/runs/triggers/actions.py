"""Writes of triggers: check, change, notify. Whoever changes what a trigger runs becomes its owner: the runs start in that name, so
nobody can make somebody else's trigger do what only the other may."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import SecretStr

from backend.core.actions.audit import record, snapshot
from backend.core.auth import new_secret
from backend.core.errors import Conflict, Problem
from backend.core.ids import new_id
from backend.core.models import Project, User
from backend.core.queries import unique_slug
from backend.core.secrets import encrypt
from backend.pipelines import queries as pipelines
from backend.pipelines.models import Pipeline, PipelineVersion
from backend.runs.triggers import events, fire, hooks
from backend.runs.triggers.errors import NotPublished, TriggerDeleted, TriggerRefused, WrongKind
from backend.runs.triggers.kind import Kind, find_kind
from backend.runs.triggers.kinds import cron
from backend.runs.triggers.models import PRIORITIES, Trigger, TriggerEvent
from backend.runs.triggers.receive import changed, notify, receive
from workers import catalog

Json = dict[str, Any]
TOLD = (
    "name",
    "pipeline_id",
    "version",
    "parameters",
    "mapping",
    "config",
    "secrets",
    "enabled",
    "most_per_hour",
    "most_at_once",
    "priority",
    "coalesce_s",
    "owner_id",
)
"""What the audit log compares, by digest."""
KEPT = timedelta(days=90)
MOST_KEPT = 10_000
"""Of each trigger's history; what waits is always kept."""
MOST = 200
"""Triggers of a project: more than anyone can look after."""


def create(project: Project, user: User, kind: str, fields: Mapping[str, Any]) -> tuple[Trigger, str | None]:
    """The trigger, and (of a webhook) its signing secret, which cannot be had again."""
    found = find_kind(kind)
    if Trigger.objects.filter(project=project, deleted_at=None).count() >= MOST:
        raise Conflict(message=f"This project has {MOST} triggers.", hint="Delete those that nobody needs.")
    trigger = Trigger(project=project, kind=kind, owner=user, enabled=fields["enabled"])
    secret = None
    _set(trigger, found, fields)
    if found.listens == "http":
        secret = _new_hook(trigger)
    for _ in range(5):
        try:
            with transaction.atomic():
                trigger.slug = unique_slug(Trigger.objects.filter(project=project), trigger.name, "trigger")
                trigger.save(force_insert=True)
                _told(trigger, user, "trigger.create", None)
            return trigger, secret
        except IntegrityError:
            continue  # somebody took the slug between the look and the insert
    raise Conflict(message=f"Triggers named “{trigger.name}” are being made by many at once.", field="name", hint="Try again.")


def update(trigger: Trigger, user: User, fields: Mapping[str, Any]) -> Trigger:
    """Change what is given; secrets that are not given stay."""
    with transaction.atomic():
        held = _lock(trigger)
        before = snapshot(held, *TOLD)
        _set(held, find_kind(held.kind), fields)
        held.owner = user
        held.connection = {}
        held.save()
        _told(held, user, "trigger.update", before)
    return held


def switch(trigger: Trigger, user: User, enabled: bool) -> None:
    """On or off. A schedule that is switched on goes on from now: what passed while it was off is not caught up."""
    with transaction.atomic():
        held = _lock(trigger)
        if held.enabled == enabled:
            return
        before = snapshot(held, *TOLD)
        held.enabled, held.connection = enabled, {}
        _wind(held)
        held.save()
        _told(held, user, "trigger.enable" if enabled else "trigger.disable", before)


def delete(trigger: Trigger, user: User) -> None:
    """Soft: its history stays, and it can be restored. Deleting twice is deleting once."""
    _mark(trigger, user, deleted=True)


def restore(trigger: Trigger, user: User) -> None:
    _mark(trigger, user, deleted=False)


def _mark(trigger: Trigger, user: User, *, deleted: bool) -> None:
    with transaction.atomic():
        held: Trigger = Trigger.objects.select_for_update(of=("self",)).select_related("project").get(pk=trigger.pk)
        if (held.deleted_at is not None) == deleted:
            return
        held.deleted_at, held.connection = timezone.now() if deleted else None, {}
        _wind(held)
        held.save()
        _told(held, user, "trigger.delete" if deleted else "trigger.restore", snapshot(held, *TOLD))


def new_signing_secret(trigger: Trigger, user: User) -> tuple[Trigger, str]:
    """Another secret for a webhook; requests signed with the earlier one are refused from now on. The address stays."""
    with transaction.atomic():
        held = _lock(trigger)
        if held.hook is None:
            raise WrongKind(message="Only webhooks have a secret to change.")
        before = snapshot(held, *TOLD)
        secret = _new_key(held)
        held.save()
        _told(held, user, "trigger.secret", before)
    return held, secret


def fire_by_hand(trigger: Trigger, user: User, data: Any) -> TriggerEvent:
    """An event made by a person, and its run, at once: limits are for what comes by itself."""
    key = f"hand:{new_id()}"
    payload = events.envelope("manual", user.email, data, id=key)
    return _now(trigger, user, "trigger.fire", key, payload, None)


def replay(event: TriggerEvent, user: User) -> TriggerEvent:
    """What came once, again: a new event with the same content."""
    return _now(event.trigger, user, "trigger.replay", f"replay:{new_id()}", event.payload, event)


def _now(trigger: Trigger, user: User, action: str, key: str, payload: Json, replay_of: TriggerEvent | None) -> TriggerEvent:
    with transaction.atomic():
        held = _lock(trigger)
        source = f"{user.email}, by hand" if replay_of is None else f"{user.email}, again"
        event, _ = receive(held, key=key, source=source, payload=payload, replay_of=replay_of, at_once=True)
        fire.start(held, event)
        record(user, action, ("trigger", held.pk, held.slug), project=held.project,
               details={"event": str(event.pk), "status": event.status, "replay_of": str(replay_of.pk) if replay_of else None})  # fmt: skip
        changed(held)
    return event


def _lock(trigger: Trigger) -> Trigger:
    held: Trigger = (
        Trigger.objects.select_for_update(of=("self",), no_key=True).select_related("project", "owner", "pipeline").get(pk=trigger.pk)
    )
    if held.deleted_at is not None:
        raise TriggerDeleted(slug=held.slug)
    return held


def _set(trigger: Trigger, kind: Kind, fields: Mapping[str, Any]) -> None:
    """Put the given fields in, each checked. `fields` is a body's: absent ones stay."""
    for name in ("name", "most_per_hour", "most_at_once", "coalesce_s"):
        if name in fields:
            setattr(trigger, name, fields[name])
    trigger.name = trigger.name.strip()
    if "priority" in fields:
        trigger.priority = PRIORITIES.index(fields["priority"])
    if "config" in fields:
        _configure(trigger, kind, fields["config"])
        _wind(trigger)
    if "pipeline" in fields:
        trigger.pipeline = pipelines.find(trigger.project, fields["pipeline"])
    if "version" in fields:
        trigger.version = fields["version"]
    for name in ("parameters", "mapping"):
        if name in fields:
            setattr(trigger, name, events.storable_object(fields[name], name))
    if fields.keys() & {"pipeline", "version", "parameters", "mapping"}:
        _check_parameters(trigger)


def _configure(trigger: Trigger, kind: Kind, given: Mapping[str, Any]) -> None:
    """The form's values; its secrets go elsewhere. A secret that is absent stays, one that is null or empty goes."""
    names = kind.secret_fields()
    merged = {**{k: SecretStr("kept") for k in names if k in trigger.secrets and k not in given}, **given}
    config = kind.read(events.storable_object(merged, "config", names))
    trigger.config = {k: v for k, v in config.model_dump(mode="json").items() if k not in names}
    for name in names:
        if name in given:
            value = getattr(config, name)
            trigger.secrets.pop(name, None)
            if value is not None and value.get_secret_value():
                trigger.secrets[name] = encrypt(value.get_secret_value())


def _wind(trigger: Trigger) -> None:
    """Set a schedule to its next time from now."""
    going = trigger.kind == cron.KIND.name and trigger.enabled and trigger.deleted_at is None
    trigger.next_at = cron.following(cron.Config.model_validate(trigger.config), timezone.now()) if going else None


def _check_parameters(trigger: Trigger) -> None:
    """Steps and parameters that the version has, constants that fit their forms, paths that are paths. The run checks again."""
    version = _version(trigger, trigger.pipeline)
    components = catalog.load().components
    problems: list[Problem] = []
    for what, given in (("parameters", trigger.parameters), ("mapping", trigger.mapping)):
        for step, values in given.items():
            placed = version.graph["steps"].get(step)
            if placed is None:
                problems.append(
                    {
                        "field": f"{what}.{step}",
                        "message": f"version {version.number} has no step “{step}”",
                        "expected": "one of: " + ", ".join(version.graph["steps"]),
                    }
                )
                continue
            component = components.get(placed["component"])
            known = component.parameters["properties"] if component is not None else values
            for name in values:
                if name not in known:
                    problems.append(
                        {
                            "field": f"{what}.{step}.{name}",
                            "message": f"{step} has no parameter “{name}”",
                            "expected": "one of: " + ", ".join(known),
                        }
                    )
                elif what == "mapping" and not events.is_path(values[name]):
                    problems.append(
                        {
                            "field": f"mapping.{step}.{name}",
                            "message": "this is no path into the event",
                            "expected": "$event.data.name, with [0] for lists",
                        }
                    )
            if what == "parameters" and component is not None:
                for found in component.problems({**placed["parameters"], **values}):
                    if found["field"] in values and found["field"] not in trigger.mapping.get(step, {}):
                        problems.append(
                            {"field": f"parameters.{step}.{found['field']}", "message": found["message"], "expected": found["expected"]}
                        )
    if problems:
        raise TriggerRefused(message=f"{problems[0]['field']}: {problems[0]['message']}.", field=problems[0]["field"], problems=problems)


def _version(trigger: Trigger, pipeline: Pipeline) -> PipelineVersion:
    if trigger.version is not None:
        return pipelines.get_version(pipeline, trigger.version)
    found: PipelineVersion | None = pipeline.versions.order_by("-number").first()
    if found is None:
        raise NotPublished(pipeline=pipeline.name, field="pipeline", hint="Publish it first.")
    return found


def _new_hook(trigger: Trigger) -> str:
    trigger.hook = random.token_urlsafe(18)
    return _new_key(trigger)


def _new_key(trigger: Trigger) -> str:
    secret = new_secret()[0]
    trigger.secrets = {**trigger.secrets, hooks.SIGNING: encrypt(secret)}
    return secret


def _told(trigger: Trigger, user: User, action: str, before: Json | None) -> None:
    trigger.updated_at = timezone.now()
    Trigger.objects.filter(pk=trigger.pk).update(updated_at=trigger.updated_at)
    record(user, action, ("trigger", trigger.pk, trigger.slug), before, snapshot(trigger, *TOLD), project=trigger.project,
           details={"kind": trigger.kind, "pipeline": trigger.pipeline.slug})  # fmt: skip
    changed(trigger)
    notify("changed")


def tidy() -> int:
    """Forget old history: what is older than KEPT, and beyond MOST_KEPT of one trigger. Returns how many events."""
    ended = TriggerEvent.objects.exclude(status="received")
    gone = ended.filter(received_at__lt=timezone.now() - KEPT).delete()[0]
    for trigger in Trigger.objects.only("pk"):
        edge = trigger.events.order_by("-received_at", "-id").values_list("received_at", flat=True)[MOST_KEPT : MOST_KEPT + 1]
        if edge:
            gone += ended.filter(trigger=trigger, received_at__lte=edge[0]).delete()[0]
    return gone
