"""The socket of a live draft: who may come in, and what its room asks of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from backend.core.live.room import Access
from backend.core.live.socket import LiveDocument
from backend.core.models import Project
from backend.core.sockets import Seat, admit, still_good
from backend.pipelines.actions.draft import Appended, append_updates, group, read_log
from backend.pipelines.models import DraftUpdate, Pipeline
from backend.pipelines.queries import find

WRITE = "pipeline.write"


class DraftBook:
    """The log of a pipeline's draft; as `backend.core.live.room.Book`."""

    largest = 32 * 1024 * 1024

    def __init__(self, pipeline: UUID) -> None:
        self.pipeline, self.key = pipeline, group(pipeline)

    def read(self) -> tuple[list[bytes], int]:
        return read_log(self.pipeline)

    def append(self, updates: Sequence[bytes], seen: int, authors: Sequence[UUID]) -> Appended:
        return append_updates(self.pipeline, updates, seen, authors)

    def newest(self) -> int:
        return DraftUpdate.objects.filter(pipeline=self.pipeline).order_by("-pk").values_list("pk", flat=True).first() or 0

    def rights(self, seats: set[Seat]) -> dict[Seat, bool]:
        if not Pipeline.objects.filter(pk=self.pipeline, deleted_at=None).exists():
            return {}
        good = still_good([seat for read in seats for seat in (read, replace(read, action=WRITE))])
        return {seat: replace(seat, action=WRITE) in good for seat in seats if seat in good}

    def state(self) -> None:
        return None

    def vouches(self, seat: Seat, face: dict[str, Any]) -> bool:
        return True


class DraftConsumer(LiveDocument):
    @staticmethod
    def find_access(scope: dict[str, Any], **names: Any) -> Access:
        seat = admit(scope, names["project"], "pipeline.read")
        found = find(Project.objects.get(pk=seat.project), names["pipeline"])
        return Access(DraftBook(found.pk), seat, bool(still_good([replace(seat, action=WRITE)])))
