"""Errors of `datasets`."""

from __future__ import annotations

from backend.core.errors import Conflict, HeadraceError, InvalidInput


class WrongOffset(Conflict):
    """The next byte expected is number {expected}, not {offset}."""


class UploadOver(Conflict):
    """This upload is {status}; start a new one."""


class Incomplete(Conflict):
    """{received} of {size} bytes are here; send the rest first."""


class NotDraft(Conflict):
    """Version {number} is {status}; only a draft can be changed. Upload again to make a new version."""


class NotFrozen(Conflict):
    """Version {number} is {status}; freeze it first."""


class ValuesDoNotFit(InvalidInput):
    """Some values do not fit the types you chose; nothing was changed."""


class WrongModality(HeadraceError):
    """The data set “{dataset}” holds {modality}; this works on {wanted} only."""

    status = 422


class DiskFull(HeadraceError):
    """There is no room for this file on the studio's disk ({free} free)."""

    status = 507


class BeingRead(Conflict):
    """The file of version {number} is being read again; wait until that is done, or cancel it."""


class SourceGone(Conflict):
    """The file that version {number} was read from is no longer here; upload it again with the options you want."""
