"""From a trusted process to one that may meet a user's code: `python -S -m workers.engine.sandbox.enter PLAN` (JSON).

This process stays behind as the sandbox's first one: it starts the step's process, waits, ends whatever that left, and passes
its exit on. It dies with the worker, and takes all with it. Only the child gets the limits and then becomes `inside`. Imports
little (no pathlib either): it is paid for on every step.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from typing import Any

from workers.engine.sandbox import filter as calls
from workers.engine.sandbox import kernel

Plan = dict[str, Any]


def main() -> None:
    plan: Plan = json.loads(sys.argv[1])
    if plan["parent"] and os.getppid() != plan["parent"]:
        os._exit(1)
    # In the machine's own process space the children do not die with us by themselves: SIGTERM is what we can still act on.
    shared = plan["mode"] == "landlock" and not plan["namespaces"]
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM if shared else signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    if plan["parent"] and os.getppid() != plan["parent"]:
        os._exit(1)
    if plan["namespaces"]:
        kernel.unshare(kernel.NEWNS | kernel.NEWPID | kernel.NEWNET | kernel.NEWIPC | kernel.NEWUTS)
        if init := os.fork():
            os.close(plan["fd"])
            os._exit(_code(os.waitpid(init, 0)[1]))  # which returns when the last process of that space is gone
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        _own_view(plan["reach"])
    elif shared:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    starter = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            if os.getppid() != starter:
                os._exit(1)
            _restrict(plan)
            os.execve(plan["argv"][0], plan["argv"], plan["env"])
        except BaseException as exc:
            os.write(2, f"The sandbox could not be entered: {type(exc).__name__}: {exc}\n".encode())
        finally:
            os._exit(70)
    os.close(plan["fd"])
    if shared:

        def told(*_: object) -> None:
            _sweep(plan["uid"])
            os._exit(128 + signal.SIGTERM)

        signal.signal(signal.SIGTERM, told)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    pid = status = 0
    while pid != child:
        pid, status = os.waitpid(-1, 0)
    if shared:
        _sweep(plan["uid"])
    os._exit(_code(status))  # as the first process of a process space we take the others along


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def open_ways(needed: list[str]) -> None:
    """In a view of the files of our own: let every account pass to the needed folders through those that are closed to it. Of a closed
    folder only the needed ones are left to be seen."""
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    closed: dict[str, list[str]] = {}
    for path in needed:
        if folder := closed_on_the_way(path):
            closed.setdefault(folder, []).append(path)
    held = {path: os.open(path, os.O_PATH) for paths in closed.values() for path in paths}
    for folder, paths in closed.items():
        kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,size=1m")
        for path in paths:
            os.makedirs(path, 0o755, exist_ok=True)
            kernel.mount(f"/proc/self/fd/{held[path]}", path, flags=kernel.MS_BIND | kernel.MS_REC)
    for fd in held.values():
        os.close(fd)


def closed_on_the_way(path: str) -> str:
    """The first folder above `path` that an account without rights of its own may not pass; empty where there is none."""
    parts = path.split("/")
    folders = ("/".join(parts[:n]) for n in range(2, len(parts)))
    return next((f for f in folders if not os.stat(f).st_mode & 1), "")


def _own_view(needed: list[str]) -> None:
    """Ways to what is needed; only its own processes in /proc; shared memory of its own."""
    open_ways(needed)
    safe = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", "/proc", "proc", safe)
    shared = "/dev/shm"  # noqa: S108 - what is mounted there is nobody else's
    if os.path.isdir(shared):
        kernel.mount("tmpfs", shared, "tmpfs", safe, "mode=1777,size=64m")


def _restrict(plan: Plan) -> None:
    """In the child, in this order: each of these takes away what the ones before it needed."""
    os.setsid()
    os.umask(0o077)
    keep = plan["fd"]
    os.closerange(3, keep)
    os.closerange(keep + 1, 65536)
    os.set_inheritable(keep, True)
    for name, value in plan["limits"].items():
        number = getattr(resource, name)
        soft, hard = value, value + (1 if name == "RLIMIT_CPU" else 0)
        most = resource.getrlimit(number)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(number, (soft, hard))
    if (uid := plan["uid"]) is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.chdir(plan["scratch"])
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of account, which clears it
    kernel.no_new_privileges()
    if plan["landlock"]:
        kernel.landlock(plan["landlock"], {path: kernel.CHANGE if right == "change" else kernel.READ if right == "read"
                                           else kernel.READ_FILE | kernel.WRITE_FILE for path, right in plan["rules"]})  # fmt: skip
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    kernel.seccomp(calls.program(kernel.architecture(), signals=plan["signals"], own_pid=os.getpid()))


def _descendants() -> list[int]:
    found: list[int] = []
    todo = [os.getpid()]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as listed:
                    children = [int(c) for c in listed.read().split()]
                    found += children
                    todo += children
    return found


def _sweep(uid: int | None) -> None:
    """End everything that descends from us (orphans are ours: we are their subreaper). Stopped first: one that forks faster than we look
    cannot fork when it stands still."""
    seen: set[int] = set()
    for _ in range(200):
        fresh = set(_descendants()) - seen
        if not fresh:
            break
        for pid in fresh:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        seen |= fresh
    for _ in range(200):
        left = _descendants()
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)
    if uid is None:
        return
    helper = os.fork()  # nobody else has this account, so "all that I may" are the sandbox's
    if helper == 0:
        with contextlib.suppress(OSError):
            os.setresuid(uid, uid, uid)
            ctypes.CDLL(None).kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(helper, 0)


if __name__ == "__main__":
    main()
