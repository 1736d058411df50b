"""What the studio says of a link with a Label Studio server that has been used for a while."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


S3 = "Its picture cannot be had: “s3:” leads to a storage that only Label Studio can read (s3://yard/cat.png)"


def _said(value: str, by: str) -> Json:
    return {"by": by, "result": [{"id": "a", "from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [value]}}]}


def link_of(items: Sequence[tuple[int, str]]) -> Json:
    """`items`: number and key of three of them."""
    (one, first), (two, second), (three, third) = items
    return {
        "url": "https://labels.example.org", "remote": 12, "status": "ready", "phase": "", "done": 0, "total": 0, "tasks": 1840,
        "message": "12 tasks came, 0 went; 31 answers came, 8 went; 3 conflicts. 2 deletions were followed; they can be undone."
        " Left out: 1.",
        "problems": [{"where": "task 951 there", "message": S3}],
        "every_minutes": 15, "next_at": "2030-01-31T09:15:00Z", "synced_at": "2026-01-31T09:00:00Z", "conflict_count": 3,
        "conflicts": [
            {"id": 1, "task": one, "key": first, "kind": "both", "why": "Both sides changed it.", "ours": _said("good", "Ann Lee"),
             "theirs": _said("bad", "sam@other.example"), "chosen": ""},
            {"id": 2, "task": two, "key": second, "kind": "there", "why": "It was deleted there, and changed here.",
             "ours": _said("bad", "Ann Lee"), "theirs": None, "chosen": "ours"},
            {"id": 3, "task": three, "key": third, "kind": "gone_there", "chosen": "", "ours": None, "theirs": None,
             "why": "It was deleted there. Here it belongs to the data set Reviews, where it stays."},
        ],
        "deletions": [
            {"id": 1, "task": one, "key": first, "what": "annotation", "side": "theirs", "at": "2026-01-31T09:00:00Z", "undone_at": None,
             **_said("good", "Sam Park")},
            {"id": 2, "task": two, "key": second, "what": "task", "side": "ours", "by": "", "result": None, "at": "2026-01-30T09:00:00Z",
             "undone_at": "2026-01-31T08:00:00Z"},
        ],
    }  # fmt: skip
