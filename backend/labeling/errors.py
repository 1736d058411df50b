"""Errors of `labeling`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backend.core.errors import Conflict, HeadraceError, InvalidInput, Problem


def as_problems(found: Iterable[dict[str, Any]]) -> list[Problem]:
    """What `workers.sdk.labels` and the reader of XML say, for an error of ours."""
    return [{"field": one["field"], "message": one["message"], "expected": one["expected"]} for one in found]


class BadSchema(InvalidInput):
    """This label schema cannot be used; nothing was saved."""


class DoesNotFit(InvalidInput):
    """This annotation does not fit its label schema; nothing was saved."""


class DatasetDoesNotFit(InvalidInput):
    """The data set “{dataset}” holds {modality}, and the schema asks for {asked}."""


class NoFrozenVersion(Conflict):
    """The data set “{dataset}” has no frozen version yet; freeze one first, so that what is labelled stays what it is."""


class ItemFull(Conflict):
    """{wanted} people have labelled this item meanwhile; your work is kept as a draft."""


class ItemRemoved(Conflict):
    """This item is no longer in the data set; your work is kept as a draft."""


class AnnotationChanged(Conflict):
    """This annotation was changed elsewhere meanwhile (it is at version {version}); reload it."""


class AlreadyAccepted(Conflict):
    """A reviewer has accepted this annotation; it can no longer be changed. Ask a reviewer."""


class OwnWork(HeadraceError):
    """Nobody reviews an annotation in which they took part."""

    status = 403


class AlreadySeen(HeadraceError):
    """You have seen another's annotation of this item as a reviewer; somebody else labels it."""

    status = 403


class NotForYou(HeadraceError):
    """This item belongs to the assignment “{assignment}”, which names other people."""

    status = 403


class NotYoursNow(HeadraceError):
    """This item is not yours to label now: you have labelled it, or others have all its places."""

    status = 403


class NotShared(HeadraceError):
    """Here everybody works for themselves: the item has no shared draft."""

    status = 403


class ItemClosed(HeadraceError):
    """Others have submitted this item together; only they can still change it."""

    status = 403


class Paused(HeadraceError):
    """Your work on “{schema}” is paused: {reason}."""

    status = 403


class NewerSchema(Conflict):
    """The label schema has changed meanwhile (it is at version {number}); your work is kept as a draft. Reload to go on under the new
    wording."""


class LabelsInUse(Conflict):
    """The new wording leaves out what annotations say; say for each what becomes of it."""


class NotReviewable(Conflict):
    """This annotation is {status}; only a submitted one can be reviewed."""


class NothingLabelled(Conflict):
    """No item has a ground truth yet; label and review some first."""


class NotTheirs(HeadraceError):
    """This is somebody else's annotation; its author can change it, and whoever manages the labels can take it back."""

    status = 403


class ExportWouldTell(HeadraceError):
    """Some items of this schema have a known answer, which an export would tell from the others; whoever reviews can make it."""

    status = 403


class NamesClash(Conflict):
    """{title} tells pictures apart by their name without its ending, and there are {pair}."""


class ImportOver(Conflict):
    """This import is {status}; {then}."""


class FileGone(Conflict):
    """The file of this import was kept for a day and is gone; upload it again."""
