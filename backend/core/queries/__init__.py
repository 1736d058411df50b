"""Reads of `core`, and the two things every list of every app needs: a page of it, and a free slug."""

from backend.core.queries.pages import LIMIT, Slice, paginate
from backend.core.queries.slugs import unique_slug

__all__ = ["LIMIT", "Slice", "paginate", "unique_slug"]
