"""What can go wrong with models, for people."""

from __future__ import annotations

from backend.core.errors import InvalidInput, NotFound


class NoSuchModelArtifact(NotFound):
    """There is no Model artifact with the digest {digest} in this project."""


class NotAModel(InvalidInput):
    """The artifact is not a model that can be registered: {reason}"""


class OfDryRun(InvalidInput):
    """The model was trained in a dry run, on a part of the data; it cannot be registered."""


class DiffersFromOriginal(InvalidInput):
    """The published model does not answer as the trained one: the largest difference is {largest}, more than {tolerance}."""


class ParityUnknown(InvalidInput):
    """Nobody has checked that the published model answers as the trained one."""


class BadAlias(InvalidInput):
    """“{alias}” cannot be an alias."""


class BadReference(InvalidInput):
    """“{text}” does not name a model version."""
