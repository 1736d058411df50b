"""Change a draft: as a whole (HTTP, the command line) or by updates of its live document.

The log of updates is the truth. Everybody who changes a draft holds the pipeline's row lock while reading the log, appending to
it, folding it into `Pipeline.draft` and, now and then, compacting it; so no update is lost, whoever writes at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from backend.core.actions.audit import record
from backend.core.events import send
from backend.core.live import updates as yjs
from backend.core.models import AuditEntry, User
from backend.pipelines import document
from backend.pipelines.errors import StaleDraft
from backend.pipelines.models import DraftUpdate, Pipeline
from backend.pipelines.queries import draft_out, normalised
from workers.sdk import graph as graphs

COMPACT_ROWS = 200
"""A log longer than this becomes one update; at four flushes a second that is after less than a minute of steady editing."""
AUDIT_EVERY = timedelta(minutes=1)
"""One person's live edits of one pipeline make at most one audit entry in this time; each publish makes its own."""


@dataclass(frozen=True, kw_only=True)
class Appended:
    """`others` is what the log held after `seen` that the caller had not sent itself; `last` is the log's end."""

    base: int
    digest: str
    last: int
    others: list[bytes]


def group(pipeline_id: UUID) -> str:
    """The channel layer's group of everybody who has this draft open."""
    return f"pipeline.{pipeline_id}"


def _log(pipeline: Pipeline) -> list[tuple[int, bytes]]:
    """The log; started from the draft where there is none yet. The caller holds the row lock."""
    rows = [(pk, bytes(update)) for pk, update in DraftUpdate.objects.filter(pipeline=pipeline).order_by("pk").values_list("pk", "update")]
    if not rows:
        row = DraftUpdate.objects.create(pipeline=pipeline, update=document.seed(pipeline.draft or {}))
        rows = [(row.pk, bytes(row.update))]
    return rows


def read_log(pipeline_id: UUID) -> tuple[list[bytes], int]:
    """The document's updates and the number of the last."""
    with transaction.atomic():
        rows = _log(Pipeline.objects.select_for_update().defer("draft").get(pk=pipeline_id))
    return [update for _, update in rows], rows[-1][0]


def _fold(pipeline: Pipeline, graph: graphs.Graph) -> bool:
    """Keep the document's graph as the draft; False when nothing changed."""
    if graph == pipeline.draft:
        return False
    pipeline.draft, pipeline.draft_digest = graph, graphs.digest(graph, normal=True)
    pipeline.draft_base += 1
    pipeline.save(update_fields=["draft", "draft_digest", "draft_base", "updated_at"])
    return True


def append_updates(pipeline_id: UUID, updates: Sequence[bytes], seen: int, authors: Sequence[UUID] = ()) -> Appended:
    """Append what people changed in the live document, and bring the draft up to date."""
    with transaction.atomic():
        pipeline = Pipeline.objects.select_for_update().select_related("project").get(pk=pipeline_id)
        rows = _log(pipeline)
        others = [update for pk, update in rows if pk > seen]
        if updates:
            merged, known = yjs.merge(updates), [update for _, update in rows]
            rows.append((DraftUpdate.objects.create(pipeline=pipeline, update=merged).pk, merged))
            before, digest = pipeline.draft, pipeline.draft_digest
            # The draft is what the log said until now: whoever appends to it folds it, under the row's lock.
            if _fold(pipeline, document.read_after(before or {}, known, [merged])) and pipeline.draft_digest != digest:
                _audit(pipeline, authors, before)
        last = rows[-1][0]
        if len(rows) > COMPACT_ROWS:
            last = _compact(pipeline, rows)
    return Appended(base=pipeline.draft_base, digest=pipeline.draft_digest, last=last, others=others)


def _compact(pipeline: Pipeline, rows: list[tuple[int, bytes]]) -> int:
    """The new row has a higher number than all it stands for, so whoever had not seen some of them reads it next."""
    number: int = DraftUpdate.objects.create(pipeline=pipeline, update=yjs.compact([update for _, update in rows])).pk
    DraftUpdate.objects.filter(pipeline=pipeline, pk__lt=number).delete()
    return number


def _audit(pipeline: Pipeline, authors: Sequence[UUID], before: Any) -> None:
    recent = set(
        AuditEntry.objects.filter(
            project=pipeline.project,
            action="pipeline.edit",
            target_id=str(pipeline.pk),
            actor__in=authors,
            at__gt=timezone.now() - AUDIT_EVERY,
        ).values_list("actor_id", flat=True)
    )
    for author in User.objects.filter(pk__in=set(authors) - recent):
        record(author, "pipeline.edit", ("pipeline", pipeline.pk, pipeline.slug), before, pipeline.draft, project=pipeline.project)


def save_draft(pipeline: Pipeline, user: User, base: int, graph: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the draft, if it is still the one that the edit started from. Raises StaleDraft (with the current base)."""
    return draft_out(replace(pipeline, user, normalised(graph), base=base))


def replace(pipeline: Pipeline, user: User, graph: graphs.Graph, *, base: int | None = None) -> Pipeline:
    """The draft becomes `graph`; those who have the live document open see the difference as an edit."""
    with transaction.atomic():
        held: Pipeline = Pipeline.objects.select_for_update().select_related("project").get(pk=pipeline.pk)
        if base is not None and base != held.draft_base:
            raise StaleDraft(
                message="Somebody else changed this draft meanwhile.", field="base", base=held.draft_base,
                hint="Load the draft again and repeat your change.",
            )  # fmt: skip
        before = held.draft
        if DraftUpdate.objects.filter(pipeline=held).exists():
            rows = _log(held)
            update = document.write(yjs.load(each for _, each in rows), graph)
            if update != yjs.EMPTY:
                DraftUpdate.objects.create(pipeline=held, update=update)
                transaction.on_commit(partial(send, group(held.pk), {"update": update, "from": ""}), robust=True)
        if _fold(held, graph):
            record(user, "pipeline.edit", ("pipeline", held.pk, held.slug), before, graph, project=held.project)
    return held
