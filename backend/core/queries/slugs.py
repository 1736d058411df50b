"""Free slugs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.text import slugify

LENGTH = 60


def unique_slug(taken: QuerySet[Any], text: str, fallback: str = "untitled", field: str = "slug") -> str:
    """A slug made from `text` that no row of `taken` has: `wine`, `wine-2`, `wine-3` …

    `taken` is everything it must differ from (the project's data sets, deleted ones too). Two requests at once can still
    meet at the unique constraint: the second's transaction fails and it may try again.
    """
    base = slugify(text)[:LENGTH].strip("-_").replace("_", "-") or fallback
    used = set(taken.filter(**{f"{field}__startswith": base[: LENGTH - 8]}).values_list(field, flat=True))
    if base not in used:
        return base
    number = 2
    while True:
        suffix = f"-{number}"
        candidate = base[: LENGTH - len(suffix)].rstrip("-") + suffix
        if candidate not in used:
            return candidate
        number += 1
