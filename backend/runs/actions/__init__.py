"""Writes of `runs`: check, change, notify. One verb a file; all changes go through the ledger's SQL functions."""

from backend.runs.actions.cancel import cancel_run
from backend.runs.actions.decide import ask_people, decide, may_decide
from backend.runs.actions.demo import start_demo, wake_demo
from backend.runs.actions.places import set_limits, set_priority
from backend.runs.actions.secrets import delete_secret, set_secret
from backend.runs.actions.start import Wish, begin_run, rerun, start_run

__all__ = [
    "Wish", "ask_people", "begin_run", "cancel_run", "decide", "delete_secret", "may_decide", "rerun", "set_limits", "set_priority",
    "set_secret", "start_demo", "start_run", "wake_demo",
]  # fmt: skip
