"""The socket of an item's shared draft: who may come in, and what its room asks of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backend.core.errors import HeadraceError
from backend.core.live.room import Access
from backend.core.live.socket import LiveDocument
from backend.core.models import Project, User
from backend.core.sockets import Seat, admit, still_good
from backend.labeling.actions.together import Appended, append_updates, group, read_log, refuse
from backend.labeling.models import Annotation, QueueItem, SharedUpdate
from backend.labeling.queries.items import find_item
from backend.labeling.queries.schemas import find_schema


class ItemBook:
    """The log of an item's shared draft; as `backend.core.live.room.Book`."""

    largest = 8 * 1024 * 1024

    def __init__(self, item: int) -> None:
        self.item, self.key = item, group(item)

    def _found(self) -> QueueItem:
        found: QueueItem = QueueItem.objects.select_related("schema__project", "assignment").get(pk=self.item)
        return found

    def read(self) -> tuple[list[bytes], int]:
        return read_log(self._found())

    def append(self, updates: Sequence[bytes], seen: int, authors: Sequence[UUID]) -> Appended:
        return append_updates(self._found(), updates, seen, authors)

    def newest(self) -> int:
        return SharedUpdate.objects.filter(draft=self.item).order_by("-pk").values_list("pk", flat=True).first() or 0

    def rights(self, seats: set[Seat]) -> dict[Seat, bool]:
        item, good = self._found(), still_good(seats)
        allowed = set()
        for user in User.objects.filter(pk__in={seat.user for seat in good}):
            try:
                refuse(item, user)
            except HeadraceError:
                continue
            allowed.add(user.pk)
        return {seat: True for seat in good if seat.user in allowed}

    def state(self) -> dict[str, Any]:
        """{annotation: null or {id, version, status, by: {id, name}}}: what was submitted of the item, and by whom."""
        said = Annotation.objects.select_related("author").filter(item=self.item, how="", honeypot=False).first()
        if said is None:
            return {"annotation": None}
        by = said.author and {"id": str(said.author.pk), "name": said.author.name or said.author.email}
        return {"annotation": {"id": str(said.pk), "version": said.version, "status": said.status, "by": by}}

    def vouches(self, seat: Seat, face: dict[str, Any]) -> bool:
        """Nobody shows themselves as somebody else."""
        user = face.get("user") if isinstance(face, dict) else None
        return isinstance(face, dict) and (user is None or (isinstance(user, dict) and user.get("id") == str(seat.user)))


class ItemConsumer(LiveDocument):
    @staticmethod
    def find_access(scope: dict[str, Any], **names: Any) -> Access:
        seat = admit(scope, names["project"], "label.annotate")
        item = find_item(find_schema(Project.objects.get(pk=seat.project), names["label_schema"]), names["item"])
        refuse(item, User.objects.get(pk=seat.user))
        return Access(ItemBook(item.pk), seat, True)
