"""What can go wrong with a pipeline, for people."""

from __future__ import annotations

from backend.core.errors import Conflict, InvalidInput, Unavailable


class StaleDraft(Conflict):
    """Somebody else changed this draft meanwhile."""

    code = "stale_draft"


class InvalidGraph(InvalidInput):
    """This is not a pipeline's graph: {reason}"""

    code = "invalid_graph"


class InvalidYaml(InvalidInput):
    """The YAML cannot be read as a pipeline: {reason}"""

    code = "invalid_yaml"


class NothingToPublish(InvalidInput):
    """The draft has no steps yet, so there is nothing to publish."""

    code = "nothing_to_publish"


class TooManySources(InvalidInput):
    """A new pipeline starts from a template, a graph or YAML, not from several of them."""

    code = "too_many_sources"


class InvalidCode(InvalidInput):
    """This text cannot be a step: {message}"""

    code = "invalid_code"


class NoSandboxHere(Unavailable):
    """{message}"""

    code = "no_sandbox"


class BusyLooking(Unavailable):
    """Other texts are being looked at."""

    code = "busy_looking"


class LookFailed(Unavailable):
    """The text could not be looked at: {reason}."""

    code = "look_failed"
