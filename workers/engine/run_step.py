"""A worker process: claim a step, run it, commit what it gave, go on with the next ready one of the same run.

A wake-up starts it; after about a second it hands back to the queue, or sooner where others wait there, so that runs share workers
fairly. All decisions are the ledger's. A process that no longer holds its step ends it (fenced: nothing it still says counts).
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from workers import catalog
from workers.engine import code, perform
from workers.engine.ahead import Ahead, Beside
from workers.engine.broker import asked
from workers.engine.control import HandOver, control, hands_over
from workers.engine.host import Machine, worker_name
from workers.engine.isolate import Isolated
from workers.engine.ledger import Ledger
from workers.engine.live import Live
from workers.engine.memory import Peak
from workers.engine.perform import Stopped, TimedOut
from workers.engine.report import Beater, Capture, Redactor, Report, StepLogging
from workers.engine.sandbox.run import Sandboxed
from workers.engine.secrets import blacked_out, with_secrets
from workers.sdk.context import Waits
from workers.sdk.wake import SOON_S

if TYPE_CHECKING:
    from workers.sdk.client import Client
    from workers.sdk.component import Component

log = logging.getLogger(__name__)
Json = dict[str, Any]

SLICE_S = float(os.environ.get("HEADRACE_SLICE_S", "1"))
"""How long one wake-up may keep a worker on one run."""
SHARE_S = min(SLICE_S, 0.1)
"""The same where other wake-ups wait in the queue. Handing back and taking the next run costs about 5 ms."""
FIRST_S = min(SHARE_S, 0.01)
"""The same for a run's first steps: of many runs that were started at once every one begins before any goes on, however quick the steps."""
LOOK_S = 0.0005
"""The pause before a worker looks again for a step that is just being written."""
TOKEN_HOURS = 7 * 24.0
POLITE_S = 0.4
"""How long a step that was told to stop may take to do so by itself."""
HARD_S = 3.0
"""When a step that cannot be interrupted (it sits in a C library) takes its whole process with it."""


class Worker:
    """One per process. `capture` False leaves standard output alone (a program that runs steps in its own terminal)."""

    def __init__(self, *, live: Live | None = None, capture: bool = True):
        self.name = worker_name()
        self.redact = Redactor([v for k in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL") if (v := os.environ.get(k))])
        self.ledger = Ledger()
        self.ledger.tell = self._tell
        self._beside = Beside(self.ledger, self._tell)
        self._ahead = Ahead(self.ledger, self.name, beside=self._bring_in)
        self._crowded = False
        self.live = live
        self._info: dict[str, Json] = {}
        self._capture = Capture() if capture else None
        self._beater = Beater(self._late, self._slow)
        self._peak = Peak()
        self._isolated = Isolated()
        self._sandboxed = Sandboxed()
        self._machine = Machine()
        self._main = threading.main_thread().ident
        self._armed: Report | None = None
        self._deadline: float | None = None
        self._signalled = 0.0
        self._begun = self._looked = 0.0
        self._first = False
        if self._capture is not None:
            self._take_over(self._capture)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGUSR2, self._interrupt)
        # A step's code must not find what only the engine needs.
        for name in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL"):
            os.environ.pop(name, None)
        catalog.load()

    def _take_over(self, capture: Capture) -> None:
        own = capture.install()
        handler = StepLogging(lambda: capture.report, own)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        for name in ("celery", "celery.task", "celery.worker", "kombu", "billiard"):
            logging.getLogger(name).handlers.clear()
            logging.getLogger(name).propagate = True
        # A line for every request to the studio would drown what the step itself says.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.captureWarnings(False)

    # The loop

    def run(self, step_run: str, *, soon: bool = False) -> int:
        """Work that a wake-up asks for; returns how many steps were run. `soon`: the step is just being written."""
        answer = self.ledger.claim(step_run, self.name)
        until = time.monotonic() + SOON_S
        while soon and answer.get("unknown") and time.monotonic() < until:
            time.sleep(LOOK_S)
            answer = self.ledger.claim(step_run, self.name)
        self._begun, self._first, count = time.monotonic(), answer.get("steps_done") == 0, 0
        self._ahead.given(answer)
        while (claim := answer.get("next")) is not None:
            if "info" in answer:
                self._info = {answer["info"]["run"]: answer["info"]}
            self._tell(answer)
            answer = self._attempt(claim, self._info[claim["run"]])
            count += 1
        self._tell(answer)
        return count

    def _tell(self, answer: Json) -> None:
        if self.live is not None and (answer.get("events") or answer.get("ready")):
            self.live.put(answer)

    def _goes_on(self, queue: str) -> bool:
        """Whether this worker takes another step of the run."""
        now = time.monotonic()
        if now - max(self._begun, self._looked) < (FIRST_S if self._first else SHARE_S):
            return True
        self._looked, self._first = now, False
        self._crowded = self.live is not None and self.live.others_wait(queue)
        return now - self._begun < SLICE_S and not self._crowded

    def _bring_in(self, line: Ahead) -> None:
        """Where others wait, every worker is busy: a second connection of this one would only take from them what it gains."""
        if not self._crowded:
            self._beside(line)

    def _attempt(self, claim: Json, info: Json) -> Json:
        """Run one claimed step and commit its end; the answer holds the next one."""
        report = Report(claim, self.ledger, self.live, self.redact)
        if self._capture is not None:
            self._capture.attach(report)
        self._deadline = time.monotonic() + claim["timeout_s"] if claim["timeout_s"] else None
        self._beater.watch(report)
        self._peak.begin()
        self._isolated.peak = self._sandboxed.peak = None
        error: Json | None = None
        outcome, retry = "", False
        result: list[Json] | HandOver | Waits = []
        try:
            result = self._work(claim, info, report)
        except KeyboardInterrupt:
            raise
        except Waits as question:
            result = question
        except BaseException as exc:
            outcome, error, retry = self._error(exc, report)
            retry = retry and perform.tried_again(claim, error)
        finally:
            self._armed = None
            self._beater.watch(None)
            if self._capture is not None:
                self._capture.detach()
        report.beat(final=True)
        take = self._goes_on(claim["queue"])
        made = result if isinstance(result, list) else []
        used = {"peak": self._isolated.peak or self._sandboxed.peak or self._peak.bytes(), "rows": perform.rows(claim, made)}
        if error is None:
            if take and isinstance(result, list) and (following := self._ahead.after(claim, result, used)):
                perform.forget(claim)
                return {"next": following}
            answer = self._commit(claim, result, take, used)
            self._ahead.given(answer)
            perform.forget(claim)
            return answer
        self._ahead.release()
        answer = self.ledger.fail(claim["id"], claim["attempt"], self.name, outcome, error, retry=retry, take=take, used=used)
        self._ahead.given(answer)
        if answer.get("outcome") in ("failed", "cancelled"):
            perform.forget(claim)
        return answer

    def _work(self, claim: Json, info: Json, report: Report) -> list[Json] | HandOver:
        if hands_over(claim):
            with perform.here(claim, info, report, lambda: self._client(claim, info), "cpu"):
                return control(claim, self.ledger, perform.store(), report, dry=bool(info.get("sample")))
        if code.is_code(claim):
            return code.run(claim, info, self.ledger, perform.store(), report, self._sandboxed, self._deadline)
        component = perform.component_of(claim)
        held = with_secrets(claim, lambda: self._client(claim, info), self.redact)
        if component.isolate or claim["queue"] == "gpu":
            made = self._isolated.run(held, info, report, self._machine.visible(claim), self._grant(claim), self._deadline)
        else:
            made = perform.perform(held, info, report, lambda: self._client(claim, info), "cpu", self._call_armed(report))
        return [{**record, "metadata": blacked_out(record["metadata"], self.redact)} for record in made] if held is not claim else made

    def _commit(self, claim: Json, result: list[Json] | HandOver | Waits, take: bool, used: Json) -> Json:
        attempt = (claim["id"], claim["attempt"], self.name)
        if isinstance(result, list):
            held, back = self._ahead.hand_over()
            answer = self.ledger.finish(*attempt, result, take=take, used=used, ahead=self._ahead.wanted, held=held, back=back)
            if not answer["ok"] and answer["next"] is None and (unbegun := [*held, *back]):  # the step was taken away; these were not
                self.ledger.give_back(claim["run"], self.name, [one["id"] for one in unbegun])
            return answer
        self._ahead.release()
        if isinstance(result, HandOver):
            return self.ledger.suspend(*attempt, result.state, result.children, result.inputs, at_once=result.at_once, take=take)
        until = datetime.now(UTC) + timedelta(hours=result.hours) if result.hours else None
        answer = self.ledger.suspend(*attempt, {"question": result.question}, [], [], person=True, until=until, take=take)
        if answer.get("outcome") == "waiting":
            asked(claim["id"])
        return answer

    def _error(self, exc: BaseException, report: Report) -> tuple[str, Json, bool]:
        outcome, error, retry = getattr(exc, "ended", None) or perform.error_of(exc)
        if outcome == "cancelled" and not report.stop.is_set():
            # The component raised Cancelled by itself: its own decision, not the run's.
            outcome, error = (
                "failed",
                {**error, "code": "stopped", "message": "The step stopped itself as cancelled, but the run was not cancelled."},
            )
        error = {k: self.redact(v) if isinstance(v, str) else v for k, v in error.items()}
        if outcome != "cancelled":
            report.lines("log", [error["message"], *([error["hint"]] if error["hint"] else [])], "error")
            if error["traceback"] and error["code"] not in ("step_error", "bad_parameter"):
                report.lines("log", error["traceback"].splitlines(), "error")
        return outcome, error, retry

    # The HTTP API in a step's hands

    def _grant(self, claim: Json) -> str:
        """A token for this attempt; only its hash reaches the database."""
        secret = "hr_" + secrets.token_urlsafe(32)
        self.redact.add(secret)
        granted = self.ledger.grant(claim["id"], claim["attempt"], hashlib.sha256(secret.encode()).hexdigest(), secret[:10], TOKEN_HOURS)
        return secret if granted else ""

    def _client(self, claim: Json, info: Json) -> Client:
        return perform.client_for(claim, info, self._grant(claim))

    # Stopping a step that runs in this process

    def _call_armed(self, report: Report) -> Any:
        def call(component: Component, inputs: Any, parameters: Any) -> Any:
            self._armed = report
            try:
                return component.call(inputs, parameters)
            finally:
                self._armed = None

        return call

    def _interrupt(self, signum: int, frame: Any) -> None:
        """In the main thread, between two of the step's instructions."""
        if (report := self._armed) is None:
            return
        self._armed = None
        if report.stop.is_set():
            raise Stopped
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise TimedOut("The step ran longer than its time limit.")
        self._armed = report

    def _slow(self) -> None:
        """On each round of the beat thread: the ledger is to know what this process runs, and others may have what it does not come to."""
        self._ahead.release(slow=True)
        self.ledger.catch_up()

    def _late(self, report: Report) -> None:
        """On each round of the beat thread: has this step been told to stop, or is its time over, and it still runs?"""
        now = time.monotonic()
        over = self._deadline is not None and now >= self._deadline
        if self._armed is not report or not (report.stop.is_set() or over):
            return
        since = now - (report.stopped_at if report.stop.is_set() else self._deadline or now)
        if since < (POLITE_S if report.stop.is_set() else 0):
            return
        if since < HARD_S:
            if now - self._signalled > 0.2 and self._main is not None:
                self._signalled = now
                signal.pthread_kill(self._main, signal.SIGUSR2)
            return
        # It sits in a library that does not come back: the process goes, and its place is taken by a new one.
        error = perform.error_of(Stopped() if report.stop.is_set() else TimedOut("The step ran longer than its time limit."))
        if not report.lost:
            report.beat(final=True)
            answer = self.ledger.fail(report.step_run, report.attempt, self.name, error[0], error[1], retry=error[2], take=False)
            if self.live is not None:
                self.live.send([answer])
        os._exit(75)
