"""What can go wrong with triggers, for people and for the programs that send events."""

from __future__ import annotations

from backend.core.errors import Conflict, HeadraceError, InvalidInput


class TriggerRefused(InvalidInput):
    """{message}"""

    code = "trigger_refused"


class NotPublished(InvalidInput):
    """The pipeline “{pipeline}” has no published version, and a trigger never runs a draft."""


class WrongKind(Conflict):
    """{message}"""


class TriggerDeleted(Conflict):
    """The trigger “{slug}” is deleted; restore it first."""


class HookRefused(HeadraceError):
    """The request's signature is not good: {reason}."""

    status = 401
