"""From a text of user-written Python to what it is, or what is wrong with it. The text is evaluated in a sandbox, in a process of its own.

The web process starts `python -m workers.engine.sandbox.inspect` itself. A platform worker could, but its answer would need a way back
and wait behind other tasks, while somebody types; and the child is as far from the web process as from any worker: a process with an
emptied environment, which puts the text into the sandbox and only ever reads its answer. At most `AT_ONCE` of them run on a machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from backend.pipelines.errors import BusyLooking, LookFailed, NoSandboxHere

Json = dict[str, Any]
AT_ONCE = 2
PATIENCE_S = 30.0
"""How long to wait for one of the places."""
LIMIT_S = 90.0
"""The sandbox ends a text after a minute; this is for what would hold up the sandbox itself."""
PATHS = (str(settings.ROOT),)
"""Where the child finds the studio's own code."""
KEPT = ("PATH", "LANG", "HEADRACE_DATA_DIR", "TMPDIR")
"""Of the environment: neither the studio's key nor an address of its parts."""


def look(source: str) -> Json:
    """`{"spec": … | None, "problems": [{line, message, hint}]}`. Raises NoSandboxHere, BusyLooking, LookFailed."""
    with _place():
        said = _child(source)
    if refused := said.get("no_sandbox"):
        raise NoSandboxHere(message=refused["message"], hint=refused["hint"])
    return {"spec": said["spec"], "problems": said["problems"]}


def _child(source: str) -> Json:
    environment = {k: v for k in KEPT if (v := os.environ.get(k))}
    environment |= {"HEADRACE_DATA_DIR": str(settings.DATA_DIR), "PYTHONPATH": os.pathsep.join(PATHS), "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.engine.sandbox.inspect"], cwd=settings.ROOT, env=environment, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        out, error = process.communicate(source.encode(), timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise LookFailed(reason=f"it took longer than {LIMIT_S:g} seconds") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        last = (error.decode(errors="replace").strip().splitlines() or ["no word why"])[-1]
        raise LookFailed(reason=last[:300])
    found: Json = json.loads(out)
    return found


@contextlib.contextmanager
def _place() -> Iterator[None]:
    """One of the machine's places, as a locked file: a process that dies gives it back."""
    if os.name == "nt":  # no such locks, and no sandbox either: the child says so at once
        yield
        return
    folder = settings.DATA_DIR / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + PATIENCE_S
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((folder / f"look-{n}.lock").open("ab")) for n in range(AT_ONCE)]
        while not any(_locked(file.fileno()) for file in files):
            if time.monotonic() > until:
                raise BusyLooking(hint="Try again in a moment.")
            time.sleep(0.05)
        yield


def _locked(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
