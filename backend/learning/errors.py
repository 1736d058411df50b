"""What can go wrong with a loop, for people."""

from __future__ import annotations

from backend.core.errors import Conflict, InvalidInput


class PipelineDoesNotLearn(InvalidInput):
    """The pipeline “{pipeline}” cannot be used here: {why}."""


class NothingToLearn(Conflict):
    """{why}"""


class RoundFailed(Conflict):
    """{why}"""
