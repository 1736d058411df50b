"""What the studio says of a link with a Label Studio server that has been used for a while."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


S3 = "Its picture cannot be had: “s3:” leads to a storage that only Label Studio can read (s3://yard/cat.png)"


def _said(value: str, by: str) -> Json:
    return {"by": by, "result": [{"id": "a", "from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [value]}}]}


RUNS = [
    {"id": 3, "began_at": "2026-01-31T08:59:50Z", "ended_at": "2026-01-31T09:00:00Z", "status": "ready", "message": "",
     "counts": {"brought": 12, "taken": 31, "told": 8, "changed_here": 2, "skips_came": 3, "truths_went": 5, "deleted": 2, "left_out": 1}},
    {"id": 2, "began_at": "2026-01-31T08:45:00Z", "ended_at": "2026-01-31T08:45:02Z", "status": "failed",
     "message": "https://labels.example.org cannot be reached.", "counts": {}},
    {"id": 1, "began_at": "2026-01-30T09:00:00Z", "ended_at": "2026-01-30T09:01:00Z", "status": "ready", "message": "",
     "counts": {"sent": 1828, "told": 1450, "predicted": 1828, "suggested": 12}},
]  # fmt: skip


def link_of(items: Sequence[tuple[int, str]]) -> Json:
    """`items`: number and key of three of them."""
    (one, first), (two, second), (three, third) = items
    return {
        "url": "https://labels.example.org", "remote": 12, "status": "ready", "phase": "", "done": 0, "total": 0, "tasks": 1840,
        "message": "12 tasks came, 0 went; 31 answers came, 8 went; 3 conflicts. 2 deletions were followed; they can be undone."
        " Left out: 1.",
        "problems": [{"where": "task 951 there", "message": S3}],
        "tell_truth": False, "truth_hidden": True, "runs": RUNS,
        "every_minutes": 15, "next_at": "2030-01-31T09:15:00Z", "synced_at": "2026-01-31T09:00:00Z", "conflict_count": 4,
        "conflicts": [
            {"id": 1, "task": one, "key": first, "kind": "both", "why": "Both sides changed it.", "ours": _said("good", "Ann Lee"),
             "theirs": _said("bad", "sam@other.example"), "chosen": ""},
            {"id": 2, "task": two, "key": second, "kind": "there", "why": "It was deleted there, and changed here.",
             "ours": _said("bad", "Ann Lee"), "theirs": None, "chosen": "ours"},
            {"id": 3, "task": three, "key": third, "kind": "gone_there", "chosen": "", "ours": None, "theirs": None,
             "why": "It was deleted there. Here it belongs to the data set Reviews, where it stays."},
            {"id": 4, "task": three, "key": third, "kind": "data", "chosen": "", "why": "Both sides changed what the task says.",
             "ours": {"result": [], "by": "", "data": {"text": "A quiet film about a mill and its miller.", "year": "1990"}},
             "theirs": {"result": [], "by": "", "data": {"text": "A quiet film about a windmill and its miller.", "year": "1990",
                                                         "colour": "red"}}},
        ],
        "deletions": [
            {"id": 1, "task": one, "key": first, "what": "annotation", "side": "theirs", "at": "2026-01-31T09:00:00Z", "undone_at": None,
             **_said("good", "Sam Park")},
            {"id": 2, "task": two, "key": second, "what": "task", "side": "ours", "by": "", "result": None, "at": "2026-01-30T09:00:00Z",
             "undone_at": "2026-01-31T08:00:00Z"},
        ],
    }  # fmt: skip
