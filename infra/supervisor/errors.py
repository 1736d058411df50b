"""What keeps a studio from starting, as one sentence a person can act on."""

from __future__ import annotations


class CannotStart(Exception):
    """The message says what is wrong and what would be right; it is printed alone, without a traceback."""
