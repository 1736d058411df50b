"""The name of a step's result, known before anything runs: equal keys, equal results.

Pure. Data set versions are pinned to a digest in the parameters before this is asked, so new data makes a new key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

InputKeys = Mapping[str, Sequence[tuple[str, str]]]
"""Port → the (cache key, output) of each step wired to it, in the order of the wires."""


def canonical(value: Any) -> str:
    """JSON with sorted keys and without spaces; refuses NaN and infinity, which are not JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def cache_key(component: str, version: str, parameters: Mapping[str, Any], inputs: InputKeys) -> str:
    """SHA-256 over what decides the result. Empty when an input's key is empty: its step's result cannot be known beforehand."""
    if any(not key for wires in inputs.values() for key, _ in wires):
        return ""
    wired = {port: [list(wire) for wire in wires] for port, wires in inputs.items() if wires}
    return hashlib.sha256(canonical([component, version, parameters, wired]).encode("utf-8", "surrogatepass")).hexdigest()
