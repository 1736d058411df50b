"""The one artifact store of this studio, at `settings.ARTIFACT_URL`."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from workers.sdk.store import Store


@lru_cache(maxsize=4)
def _at(url: str, cache: str) -> Store:
    return Store(url, cache=None if "://" not in url else cache)


def store() -> Store:
    """The store; asked for each time, so that a changed setting (tests) counts."""
    return _at(str(settings.ARTIFACT_URL), str(settings.DATA_DIR / "cache" / "artifacts"))
