"""How sure a share is that was counted on a sample: Wilson's score interval (1927), which holds also for few and for none (Brown, Cai and
DasGupta 2001)."""

from __future__ import annotations

import math

Z = 1.959964
"""Of 95 %."""


def wilson(count: float, of: float) -> tuple[float, float]:
    """The interval of the share `count` / `of`; all of it where nothing was counted. Halves count as halves."""
    if of == 0:
        return 0.0, 1.0
    share, more = count / of, Z * Z / of
    middle = (share + more / 2) / (1 + more)
    wide = Z * math.sqrt(share * (1 - share) / of + more / (4 * of)) / (1 + more)
    return max(0.0, middle - wide) if count else 0.0, min(1.0, middle + wide) if count < of else 1.0
