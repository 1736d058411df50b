"""What another server says, made such that it can be kept: JSON knows characters and numbers that a database does not."""

from __future__ import annotations

import json
import math
import re
from typing import Any

NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
LARGEST_TASK = 4 * 1024**2
"""Characters of a task's data as JSON: a task is shown to people, and travels beside hundreds of others."""


def cleaned(value: Any) -> tuple[Any, bool]:
    """(`value` with U+FFFD for characters, and null for numbers, that cannot be kept; whether there were any). Lengths stay, so that places
    in a text stay what they are."""
    if isinstance(value, str):
        return (NOT_KEPT.sub("�", value), True) if NOT_KEPT.search(value) else (value, False)
    if isinstance(value, float):
        return (value, False) if math.isfinite(value) else (None, True)
    if isinstance(value, list):
        parts = [cleaned(one) for one in value]
        return [one for one, _ in parts], any(bad for _, bad in parts)
    if isinstance(value, dict):
        named = [(cleaned(name), cleaned(one)) for name, one in value.items()]
        return {str(name): one for (name, _), (one, _) in named}, any(a or b for (_, a), (_, b) in named)
    return value, False


def too_large(data: Any) -> bool:
    return len(json.dumps(data, ensure_ascii=False)) > LARGEST_TASK
