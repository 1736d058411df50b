"""What can go wrong with embeddings, for people."""

from __future__ import annotations

from backend.core.errors import Conflict, HeadraceError, InvalidInput


class PgvectorMissing(HeadraceError):
    """The database has no pgvector: install the extension “vector” (0.8 or newer) and have a superuser run CREATE EXTENSION vector."""

    status = 409


class CannotCompute(Conflict):
    """{why}"""


class NoSuchEmbedder(InvalidInput):
    """“{embedder}” cannot embed {modality}."""


class NotComputed(Conflict):
    """This data set has no embeddings yet; compute some first."""


class NoTextSearch(Conflict):
    """{why}"""


class NoSingleChoice(Conflict):
    """Label errors are looked for in questions with one choice; this schema asks none. For boxes, regions and texts it is not offered."""


class DoubtDecided(Conflict):
    """Somebody has decided this one already: {decision}."""


class BulkUndone(Conflict):
    """This is undone already."""
