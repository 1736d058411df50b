"""What can go wrong with endpoints, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.core.errors import Conflict, HeadraceError, InvalidInput, Unavailable


class NothingToRollBackTo(Conflict):
    """There is no earlier deployment to go back to."""


class AlreadyAnswers(Conflict):
    """This deployment has the traffic already."""


class CannotAnswerAgain(Conflict):
    """This deployment never answered, so it cannot take the traffic."""


class BadWindow(InvalidInput):
    """Traffic is shown for 1 to 1440 minutes."""


class BadCursor(InvalidInput):
    """The cursor is not one of this list."""


class CannotSuggest(Conflict):
    """“{by}” cannot suggest labels here: {why}."""


class NobodyAsked(Conflict):
    """No model is asked when items of “{schema}” are opened."""


class ModelNotAsked(Unavailable):
    """The model {model} could not be asked."""


class PredictorAway(Unavailable):
    """The predictor does not answer now."""


class PredictionRefused(HeadraceError):
    """{message}"""

    def __init__(self, status: int, told: Mapping[str, Any]):
        super().__init__(
            field=told.get("field"),
            hint=str(told.get("hint") or ""),
            problems=told.get("problems") or [],
            message=str(told.get("message") or "The predictor refused this."),
        )
        self.status, self.code = status, str(told.get("code") or "prediction_refused")  # type: ignore[misc]  # as the predictor said
