"""What somebody kept of a suggestion, by comparing contents: ids, scores and the origin that a browser claims count for nothing."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Literal

from workers.sdk.labels.agreement import of_control
from workers.sdk.labels.config import LabelConfig

Json = dict[str, Any]
Outcome = Literal["accepted", "adjusted", "rejected"]
DECIMALS = 3
"""Of places in percent: what a browser rounds is no change by a person."""


def outcome(config: LabelConfig, suggested: Sequence[Json], said: Sequence[Json]) -> Outcome | None:
    """Of the controls that the suggestion answers: `accepted` if all they say is as suggested, `rejected` if nothing agrees with it, else
    `adjusted`. None where nothing was suggested."""
    names = {r["from_name"] for r in suggested if "from_name" in r}
    if not names:
        return None
    ours = [r for r in said if r.get("from_name") in names]
    theirs = [r for r in suggested if "from_name" in r]
    if same(theirs, ours):
        return "accepted"
    controls = [c for name in sorted(names) if (c := config.control(name)) is not None]
    found = [score for control in controls if (score := of_control(control, theirs, ours)) is not None]
    return "adjusted" if any(found) else "rejected"


def same(one: Sequence[Json], other: Sequence[Json]) -> bool:
    """Whether two results say the same: regions in any order, each with its attributes. Relations are not looked at."""
    return _contents(one) == _contents(other)


def _contents(result: Sequence[Json]) -> Counter[tuple[str, ...]]:
    """What is said of each region (or of the whole), without its id."""
    parts: dict[str, list[str]] = defaultdict(list)
    for n, region in enumerate(result):
        if "from_name" in region:
            about = json.dumps(
                [region["from_name"], region["type"], region.get("item_index"), _plain(region["value"])], sort_keys=True, ensure_ascii=False
            )
            parts[str(region.get("id", n))].append(about)
    return Counter(tuple(sorted(said)) for said in parts.values())


def _plain(value: Any, key: str = "") -> Any:
    """Numbers rounded, labels sorted: several choices have no order."""
    if isinstance(value, dict):
        if key == "ranker":  # the order is what is said
            return value
        return {name: _plain(inner, name) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        inner = [_plain(one) for one in value]
        return sorted(inner) if key != "text" and all(isinstance(one, str) for one in inner) else inner
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return round(float(value), DECIMALS)
