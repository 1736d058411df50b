"""The process in the sandbox: `python -m workers.engine.sandbox.inside FD`. It speaks the messages of `wire` with its worker and meets the
user's code.

Nothing here is trusted after the user's text has run: what it says and what it leaves in its folder is looked at by the worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from workers.engine import perform, wire
from workers.engine import store as artifacts
from workers.engine.sandbox import source
from workers.engine.sandbox.boxstore import BoxStore
from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import KINDS

Json = dict[str, Any]


def _request(control: socket.socket) -> Json:
    reader = wire.Reader()
    while data := control.recv(65536):
        for message in reader.feed(data):
            return message
    os._exit(1)


def _no_client() -> NoReturn:
    raise StepError(
        "Code steps do not reach the studio: they have no network.", hint="Use the studio's own steps to register, deploy or tell."
    )


def _run(request: Json, remote: wire.Remote) -> list[Json]:
    try:
        component = source.load(request["source"])
    except source.Problems as exc:
        first = exc.problems[0]
        raise StepError(first["message"], hint=f"Line {first['line']} of the code. {first['hint']}".strip()) from None
    scratch, claim, info = Path(request["scratch"]), request["claim"], request["info"]
    store = BoxStore(Path(request["inputs"]), scratch)
    here = context.Context(
        report=remote, folder=str(scratch), open_store=lambda: store, open_client=_no_client, device="cpu", run_id=str(claim["run"]),
        step_run_id=str(claim["id"]), step=claim["step"], project=info["project"], pipeline=info["pipeline"],
    )  # fmt: skip
    with context.use(here):
        inputs = {port: [artifacts.load(r, KINDS, store) for r in records] for port, records in claim["inputs"].items()}
        outputs = component.call(inputs, claim["parameters"])
        given = {r["digest"]: r for records in claim["inputs"].values() for r in records}
        return [artifacts.save(port, handle, store, given, scratch) for port, handle in outputs.items()]


def _answer(request: Json, remote: wire.Remote) -> Json:
    if request["do"] == "inspect":
        try:
            return {"type": "result", "spec": source.spec(source.load(request["source"]))}
        except source.Problems as exc:
            return {"type": "result", "problems": exc.problems}
    try:
        return {"type": "result", "outputs": _run(request, remote)}
    except BaseException as exc:
        outcome, error, retry = perform.error_of(exc)
        if not error["hint"] and (line := source.line_of(exc)):
            error["hint"] = f"Line {line} of the code."
        return {"type": "error", "outcome": outcome, "error": error, "retry": retry and not isinstance(exc, SystemExit)}


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - for the life of the process
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - as above
    request = _request(control)
    remote = wire.Remote(control)
    logging.root.handlers[:] = [wire.Logging(remote)]
    logging.root.setLevel(logging.INFO)
    answer = _answer(request, remote)
    ctypes.CDLL(None).fflush(None)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    with contextlib.suppress(OSError):
        remote.send(answer)
    os._exit(0 if answer["type"] == "result" else 1)


if __name__ == "__main__":
    main()
