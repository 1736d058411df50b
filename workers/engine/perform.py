"""Runs one step's component: inputs to handles, the function, its outputs to records. The same code in a worker's own
process and in a fresh one; it knows neither the database nor the broker.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import traceback
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers import catalog
from workers.engine import memory
from workers.engine import store as artifacts
from workers.sdk import context, sample
from workers.sdk.component import Component
from workers.sdk.errors import Cancelled, ParameterError, StepError
from workers.sdk.store import BlobMissing, Store

if TYPE_CHECKING:
    from workers.sdk.client import Client

Json = dict[str, Any]
CLASSES = {"crash": "crash", "process_crashed": "crash", "timeout": "timeout", "out_of_memory": "out_of_memory", "exit": "exit"}
"""Error code → class; what comes from the studio's API or another service has codes of its own."""
NO_SCRATCH = "no_scratch"
"""Set in the claim of a step that never had a scratch folder: to look for one costs as much as the rest of `forget`."""
TRACEBACK = 20_000
"""Characters kept of a traceback."""


class TimedOut(Exception):
    """The step ran longer than its limit."""


class Stopped(Cancelled):
    """Raised inside a step's own code when it did not look whether it was cancelled."""


@cache
def store() -> Store:
    return Store.from_environment()


def component_of(claim: Json) -> Component:
    """The component the step runs; a worker that lacks it says so."""
    found = catalog.load().components.get(claim["component"])
    if found is None:
        raise StepError(
            f"This worker has no component “{claim['component']}”.",
            hint="Install the plug-in that brings it on every worker, and restart them.",
        )
    return found


def scratch_of(claim: Json) -> Path:
    """The folder that all attempts of one step run share."""
    return Path(_scratch(claim))


def _scratch(claim: Json) -> str:
    return f"{_scratches(os.environ.get('HEADRACE_DATA_DIR', '.headrace'))}/{claim['id']}"


@lru_cache(maxsize=4)
def _scratches(data: str) -> str:
    return str(Path(data).absolute() / "scratch")


def perform(
    claim: Json, info: Json, report: context.Reporter, open_client: Callable[[], Client], device: str, call: Callable[..., Any]
) -> list[Json]:
    """Run the step and store what it gives. `call(component, inputs, parameters)` makes the call itself (so that the caller
    may bound where it can be interrupted)."""
    component = component_of(claim)
    kept, kinds = store(), catalog.load().kinds
    with here(claim, info, report, open_client, device) as around:
        inputs = {port: artifacts.load_port(records, kinds, kept) for port, records in claim["inputs"].items()}
        outputs = call(component, inputs, claim["parameters"])
        if info.get("sample") and not claim["inputs"]:
            outputs = {port: sample.cut(handle, info["sample"]) for port, handle in outputs.items()}
        given = {r["digest"]: r for records in claim["inputs"].values() for r in records}
        made = [artifacts.save(port, handle, kept, given, around.folder) for port, handle in outputs.items()]
        if claim["attempt"] == 1 and around.untouched:
            claim[NO_SCRATCH] = True
        return made


def here(
    claim: Json, info: Json, report: context.Reporter, open_client: Callable[[], Client], device: str
) -> contextlib.AbstractContextManager[context.Context]:
    """The world of this attempt, for the length of a `with` block."""
    component = catalog.load().components.get(claim["component"])
    return context.use(context.Context(
        report=report, folder=_scratch(claim), open_store=store, open_client=open_client, device=device, run_id=str(claim["run"]),
        step_run_id=str(claim["id"]), step=claim["step"], project=info["project"], pipeline=info["pipeline"],
        state=claim.get("state") or {}, titles=component.titles if component is not None else {},
    ))  # fmt: skip


def rows(claim: Json, made: list[Json]) -> int | None:
    """How many rows (or pictures) came in, at the input where most did; of a source, how many it gives. None where none are counted."""
    found = [_counted(records) for records in claim["inputs"].values()] or [_counted([record]) for record in made]
    return max((n for n in found if n is not None), default=None)


def _counted(records: list[Json]) -> int | None:
    told = [record["metadata"].get("rows", record["metadata"].get("count")) for record in records if record["kind"] in ("Table", "Images")]
    return sum(told) if told and all(isinstance(n, int) for n in told) else None


def tried_again(claim: Json, error: Json) -> bool:
    """Whether the step wants another attempt after an error of this class (`workers.sdk.graph.flow.ERROR_CLASSES`)."""
    wanted = (claim.get("flow") or {}).get("retry_on")
    return not wanted or CLASSES.get(error["code"], "api") in wanted


def forget(claim: Json) -> None:
    """The step run is over: its scratch folder is not needed again."""
    if NO_SCRATCH in claim:
        return
    folder = _scratch(claim)
    try:
        os.rmdir(folder)  # noqa: PTH106 - a Path costs more than the call, for every step, and most have no folder
    except FileNotFoundError:
        return
    except OSError:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def error_of(exc: BaseException) -> tuple[str, Json, bool]:
    """(outcome, what is kept of the error, whether another attempt may help)."""
    if isinstance(exc, Cancelled):
        return "cancelled", {"code": "cancelled", "message": "Cancelled.", "hint": "", "traceback": ""}, False
    if isinstance(exc, TimedOut):
        return (
            "failed",
            {"code": "timeout", "message": str(exc), "hint": "Raise the step's time limit, or give it less to do.", "traceback": told(exc)},
            True,
        )
    if isinstance(exc, StepError):
        error = {
            "code": "bad_parameter" if isinstance(exc, ParameterError) else "step_error",
            "message": exc.message,
            "hint": exc.hint,
            "traceback": told(exc),
        }
        return "failed", error | ({"field": exc.field} if exc.field else {}), False
    if isinstance(exc, BlobMissing):
        message = f"An input's bytes are not in the artifact store any more ({exc})."
        return (
            "failed",
            {"code": "artifact_missing", "message": message, "hint": "Start the run again without the cache.", "traceback": told(exc)},
            False,
        )
    if memory.is_short(exc):
        return "failed", {**memory.told(exc), "traceback": told(exc)}, True
    if isinstance(exc, SystemExit):
        return (
            "failed",
            {"code": "exit", "message": f"The step ended its process (exit {exc.code}).", "hint": "", "traceback": told(exc)},
            True,
        )
    status = getattr(exc, "status", None)
    if type(exc).__name__ in ("ApiError", "Unreachable") and isinstance(status, int):
        error = {
            "code": getattr(exc, "code", "") or "api_error",
            "message": str(exc),
            "hint": getattr(exc, "hint", ""),
            "traceback": told(exc),
        }
        return "failed", error, status == 0 or status >= 500 or status == 429
    name = type(exc).__name__
    text = str(exc).strip()
    return "failed", {"code": "crash", "message": f"{name}: {text}"[:2000] if text else name, "hint": "", "traceback": told(exc)}, True


def told(exc: BaseException) -> str:
    """The traceback without the engine's own frames."""
    frames = traceback.TracebackException.from_exception(exc, capture_locals=False)
    kept = [
        f
        for f in frames.stack
        if not f.filename.replace(os.sep, "/").endswith(
            (
                "workers/engine/perform.py",
                "workers/engine/run_step.py",
                "workers/engine/isolate.py",
                "workers/engine/sandbox/inside.py",
                "workers/sdk/component.py",
            )
        )
    ]
    if kept:
        frames.stack = traceback.StackSummary.from_list(kept)
    text = "".join(frames.format())
    return text if len(text) <= TRACEBACK else text[:2000] + "\n…\n" + text[-(TRACEBACK - 2000) :]


def client_for(claim: Json, info: Json, token: str) -> Client:
    """The studio's API as the run's starter; the step run is the idempotency key of its writes."""
    from workers.sdk.client import Client

    return Client(os.environ.get("HEADRACE_API_URL", "http://127.0.0.1:8000"), token, info["project"], idempotency=str(claim["id"]))
