"""Reads of hosts: what they said of themselves, and what the ledger knows they do."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from backend.core.auth import hash_secret
from backend.core.errors import NotFound
from backend.core.models import Membership, User
from backend.runs.hosts.lacking import SILENT
from backend.runs.hosts.models import DeviceLease, Host, JoinToken
from backend.runs.models import StepRun

Json = dict[str, Any]
SAID = (
    "id", "name", "studio", "wanted", "labels", "queues", "memory_bytes", "memory_free", "share", "versions", "beat_at", "joined_at",
)  # fmt: skip


def list_hosts(user: User) -> list[Json]:
    """All hosts of the studio, its own first. A step is named to members of its project only."""
    hosts = list(Host.objects.select_related("joined_with").order_by("-studio", "name", "joined_at"))
    return _out(hosts, user)


def host_out(host: Host, user: User) -> Json:
    return _out([host], user)[0]


def find_host(host_id: UUID) -> Host:
    found: Host | None = Host.objects.select_related("joined_with").filter(pk=host_id).first()
    if found is None:
        raise NotFound(what="host", name=host_id)
    return found


def host_of(secret: str) -> Host | None:
    """The joined host with this token."""
    found: Host | None = Host.objects.filter(token_hash=hash_secret(secret), studio=False).first() if secret else None
    return found


def live(host: Host, now: datetime | None = None) -> bool:
    return host.beat_at is not None and (now or timezone.now()) - host.beat_at < SILENT


def _out(hosts: list[Host], user: User) -> list[Json]:
    now = timezone.now()
    mine = dict(Membership.objects.filter(user=user, project__archived_at=None).values_list("project_id", "project__slug"))
    steps: dict[str, Json] = {}
    busy: dict[str, int] = defaultdict(int)
    for step in StepRun.objects.filter(status="running").exclude(worker="").select_related("run__project").only(
        "step", "worker", "started_at", "progress", "run__number", "run__project__name", "run__project__slug"
    ):  # fmt: skip
        steps[step.worker] = _current(step, step.run.project_id in mine)
        busy[step.worker.rpartition(":")[2]] += 1
    taken: dict[tuple[UUID, int], int] = defaultdict(int)
    for host_id, device, count in DeviceLease.objects.values_list("host_id", "device").annotate(n=Count("id")):
        taken[host_id, device] = count
    found = []
    for host in hosts:
        groups = host.groups if live(host, now) else {}
        processes = [
            {**one, "group": name, "queues": group["queues"], "step": steps.get(one["worker"])}
            for name, group in sorted(groups.items())
            for one in group["processes"]
        ]
        found.append({
            **{field: getattr(host, field) for field in SAID},
            "state": state(host, bool(processes), busy[str(host.pk)] > 0, now), "processes": processes,
            "devices": [{**device, "number": n, "taken": taken[host.pk, n]} for n, device in enumerate(host.devices)],
            "joined_with": host.joined_with.name if host.joined_with is not None else None,
        })  # fmt: skip
    return found


def state(host: Host, staffed: bool, busy: bool, now: datetime) -> str:
    """What the host does, from what is wanted of it and what is seen."""
    if not live(host, now):
        return "away"
    match host.wanted:
        case "running":
            return "running" if staffed else "starting"
        case "draining":
            return "draining" if busy else "drained"
        case "stopped":
            return "stopping" if staffed else "stopped"
        case wanted:
            return str(wanted)


def _current(step: StepRun, mine: bool) -> Json:
    project = step.run.project
    if not mine:
        return {"step": "", "project": None, "project_name": "", "run": None, "run_number": None, "since": step.started_at, "progress": 0}
    return {
        "step": step.step, "project": project.slug, "project_name": project.name, "run": step.run_id, "run_number": step.run.number,
        "since": step.started_at, "progress": step.progress,
    }  # fmt: skip


def join_tokens() -> list[Json]:
    """Those that still let a host join."""
    found = JoinToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now()).select_related("created_by").annotate(n=Count("hosts"))
    return [token_out(token, token.n) for token in found.order_by("-created_at")]


def token_out(token: JoinToken, hosts: int = 0, secret: str | None = None) -> Json:
    fields = ("id", "name", "prefix", "created_by", "created_at", "expires_at", "last_used_at")
    return {**{field: getattr(token, field) for field in fields}, "hosts": hosts, "secret": secret}
