"""Errors of `artifacts`."""

from __future__ import annotations

from typing import Any

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


class HandLost(HeadraceError):
    """The process that was working on this ended before it was done ({how})."""

    status = 503

    def __init__(self, **details: Any):
        super().__init__(hint="Most often there was too little memory for it. Try again, or with less at once.", **details)


class HandBusy(HeadraceError):
    """The studio is busy with as many of these as it does at once."""

    status = 503

    def __init__(self, **details: Any):
        super().__init__(hint="Try again in a moment.", **details)


class RangeNotSatisfiable(HeadraceError):
    """The file has {size} bytes; the header `Range` asks for bytes after its end."""

    status = 416
