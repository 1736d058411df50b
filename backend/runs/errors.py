"""What can go wrong when a run is started or stopped, for people."""

from __future__ import annotations

from backend.core.errors import Conflict, InvalidInput, NotAllowed


class RunRefused(InvalidInput):
    """The pipeline has problems that must be mended before it can run."""

    code = "run_refused"


class ParametersRefused(InvalidInput):
    """Some of the parameters are not right."""

    code = "parameters_refused"


class RunOver(Conflict):
    """Run {number} is {status} already; there is nothing to cancel."""

    code = "run_over"


class RunEnded(Conflict):
    """Run {number} is {status} already; its priority changes nothing any more."""

    code = "run_ended"


class NothingAsked(Conflict):
    """The step “{step}” does not wait for a person (it is {status})."""

    code = "nothing_asked"


class NotYoursToDecide(NotAllowed):
    """This is for {who} to decide."""

    code = "not_yours_to_decide"


class NoSuchSort(InvalidInput):
    """Runs cannot be sorted by “{sort}”."""

    code = "no_such_sort"
