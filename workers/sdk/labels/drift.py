"""Whether somebody's newest work is worse than their own earlier work.

The test is the two-proportion z test with pooled variance: of the newest `NEWEST` judged annotations against all before them, each right or
wrong. It speaks only with `NEWEST` on one side and `BEFORE` on the other, from a drop of `DROP`, and where chance alone would bring one
as large once in 200 cases (z of −2.58 or less): a list of people is looked at often, and a false word about somebody costs more than a
late one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

NEWEST, BEFORE = 30, 30
DROP = 0.05
Z = -2.58


@dataclass(frozen=True, kw_only=True)
class Drift:
    """`before` and `now` are shares of right ones; `z` is below 0 where it became worse."""

    before: float
    now: float
    z: float
    worse: bool


def drift(right: Sequence[bool]) -> Drift | None:
    """Of the judged annotations of one person, oldest first; None where there are too few to say anything."""
    earlier, newest = right[:-NEWEST], right[-NEWEST:]
    if len(newest) < NEWEST or len(earlier) < BEFORE:
        return None
    before, now = sum(earlier) / len(earlier), sum(newest) / len(newest)
    pooled = (sum(earlier) + sum(newest)) / (len(earlier) + len(newest))
    spread = math.sqrt(pooled * (1 - pooled) * (1 / len(earlier) + 1 / len(newest)))
    z = (now - before) / spread if spread else 0.0
    return Drift(before=before, now=now, z=z, worse=z <= Z and before - now >= DROP)
