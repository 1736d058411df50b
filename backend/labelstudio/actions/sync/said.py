"""What a side says of a task, in a form in which two sides can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.labeling.models import Annotation

Json = dict[str, Any]
TOLD = ("from_name", "to_name", "type", "value", "direction", "labels")


@dataclass(frozen=True, kw_only=True)
class Said:
    """An annotation of one side: `id` is that side's, `email` of its author where there is one, `name` what people call them."""

    id: Any
    result: list[Json] | None
    digest: str
    email: str = ""
    name: str = ""
    rejected: bool = False
    truth: bool = False

    def shown(self) -> Json | None:
        return None if self.result is None else {"result": self.result, "by": self.name or self.email}


@dataclass(frozen=True, kw_only=True)
class Person:
    email: str
    name: str


def digest_of(result: list[Json]) -> str:
    """Ids of regions do not count: each side may give its own or none, so they are replaced by their order."""
    names: dict[str, str] = {}
    told = []
    for n, region in enumerate(result):
        given = (
            {end: region.get(end) for end in ("from_id", "to_id")} if region.get("type") == "relation" else {"id": region.get("id") or n}
        )
        ends = {end: names.setdefault(str(one), f"r{len(names)}") for end, one in given.items()}
        told.append(ends | {k: region[k] for k in TOLD if k in region})
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def ours_of(items: Iterable[int]) -> dict[int, dict[UUID, Said]]:
    """{item: {annotation: what it says}} of what people said here; what was fused from it, models and honeypots are no people."""
    found: dict[int, dict[UUID, Said]] = {}
    rows = Annotation.objects.filter(item__in=list(items), how="", honeypot=False).select_related("author", "item")
    for row in rows.order_by("created_at", "pk"):
        author = row.author
        found.setdefault(row.item_id, {})[row.pk] = Said(
            id=row.pk, result=row.result, digest=digest_of(row.result), email=author.email.lower() if author else "",
            name=(author.name or author.email) if author else row.author_name, rejected=row.status == "rejected",
            truth=row.item.truth_id == row.pk,
        )  # fmt: skip
    return found


def theirs_of(task: Json, people: Callable[[], dict[int, Person]]) -> dict[int, Said]:
    """{annotation: what it says} of a task as the server tells it; without what was skipped and what has no author."""
    found = {}
    for row in task.get("annotations") or []:
        by = row.get("completed_by")
        if isinstance(by, dict):
            by = by.get("id")
        name = str(row.get("created_username") or "").strip()
        if row.get("was_cancelled") or not isinstance(row.get("result"), list) or (by is None and not name):
            continue
        person = people().get(by) if isinstance(by, int) else None
        found[int(row["id"])] = Said(
            id=int(row["id"]), result=row["result"], digest=digest_of(row["result"]), email=person.email if person else "",
            name=person.name if person else name or f"Person {by}", truth=row.get("ground_truth") is True,
        )  # fmt: skip
    return found
