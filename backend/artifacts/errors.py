"""Errors of `artifacts`."""

from __future__ import annotations

from backend.core.errors import HeadraceError


class BytesMissing(HeadraceError):
    """The bytes of this artifact ({digest}) are no longer in the artifact store."""

    status = 410


class NoPreview(HeadraceError):
    """This {kind} cannot be shown: {reason}."""

    status = 422


class NoSuchFile(HeadraceError):
    """There is no file “{name}” in this artifact."""

    status = 404


class RangeNotSatisfiable(HeadraceError):
    """The file has {size} bytes; the header `Range` asks for bytes after its end."""

    status = 416
