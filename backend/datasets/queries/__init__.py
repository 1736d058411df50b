"""Reads of `datasets`. What other apps use is named here."""

from backend.datasets.queries.datasets import find_dataset, find_version, resolve_reference

__all__ = ["find_dataset", "find_version", "resolve_reference"]
