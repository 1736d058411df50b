"""Which sandbox this machine can give: tried once by doing it, then remembered; and in words what is missing.

Two modes. "bubblewrap": the step sees a file system, processes and a network of its own. "landlock": it sees the machine's, and the kernel
refuses what it was not given. Both add seccomp, resource limits and, where the worker is root, an account of its own for each sandbox.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from workers.engine.sandbox import kernel
from workers.engine.sandbox.enter import closed_on_the_way
from workers.sdk.errors import StepError

Mode = Literal["bubblewrap", "landlock"]
OLDEST_LANDLOCK = 3
"""Before version 3 (Linux 6.2) Landlock lets a file be emptied that it lets nobody write."""
ISOLATION = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session", "--as-pid-1"]


class NoSandbox(StepError):
    """This machine gives no sandbox for user-written code, so the step does not run."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What was found. `uids` are numbers that no account has, for a worker that is root: (first, how many); None for a plain user."""

    linux: bool
    known_architecture: bool
    root: bool
    bubblewrap: str | None
    landlock: int
    seccomp: bool
    namespaces: bool
    uids: tuple[int, int] | None
    cgroup: bool
    closed: str = ""
    """A folder on the way to this Python that an unprivileged account may not pass."""
    why_not_bubblewrap: str = ""

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Those that can be had, the better one first."""
        if not (self.linux and self.known_architecture and self.seccomp) or (self.root and self.uids is None):
            return ()
        found: list[Mode] = []
        if self.bubblewrap:
            found.append("bubblewrap")
        if self.landlock >= OLDEST_LANDLOCK and not self._no_way:
            found.append("landlock")
        return tuple(found)

    @property
    def _no_way(self) -> bool:
        """Whether the step's account could not reach Python, and no view of the files of its own can be made where it can."""
        return self.root and bool(self.closed) and not self.namespaces

    @property
    def missing(self) -> str:
        """What is missing and what to install, in a sentence or two; empty when the best sandbox is there."""
        if not self.linux:
            return "Code steps need Linux: put a worker on a Linux machine, or run the studio in a container."
        if not self.known_architecture:
            return f"Code steps run on {' and '.join(kernel.ARCHITECTURES)}; this processor is {kernel.architecture()}."
        if not self.seccomp:
            return "This kernel filters no system calls (CONFIG_SECCOMP_FILTER): use one that does."
        if self.root and self.uids is None:
            return (
                "This root may not change to an unprivileged account: start the worker as a plain user, or with CAP_SETUID and CAP_SETGID."
            )
        if self.bubblewrap:
            return ""
        install = f"Install bubblewrap (package “bubblewrap”; {self.why_not_bubblewrap})"
        if self._no_way:
            return f"{install}, or put Python where every account can reach it: {self.closed} is closed."
        if self.landlock >= OLDEST_LANDLOCK:
            return f"{install} to also hide the machine's files and processes from code steps."
        found = f"this one has {'none' if not self.landlock else f'version {self.landlock}'}"
        return f"{install}, or use a kernel with Landlock version {OLDEST_LANDLOCK} (Linux 6.2 or newer; {found})."

    def choose(self, mode: Mode | None = None) -> Mode:
        """The mode to use. Raises NoSandbox."""
        if mode is not None and mode in self.modes:
            return mode
        if mode is not None or not self.modes:
            raise NoSandbox("There is no sandbox for code steps on this worker's machine, so the step was not run.", hint=self.missing)
        return self.modes[0]

    def uid(self) -> int | None:
        """An account number for one sandbox, drawn so that two at the same time do not meet."""
        return None if self.uids is None else self.uids[0] + secrets.randbelow(self.uids[1])


@cache
def python_folders() -> tuple[Path, ...]:
    """The folders of this Python and of its packages, none inside another, without what lies in the system's folders."""
    found = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))}
    kept = [p for p in found if not any(p != q and p.is_relative_to(q) for q in found)]
    return tuple(sorted(p for p in kept if not p.is_relative_to("/usr")))


@cache
def probe() -> Machine:
    """Look once; the answer holds for the life of the process."""
    linux, root = sys.platform == "linux", os.geteuid() == 0
    if not linux:
        return Machine(linux=False, known_architecture=False, root=root, bubblewrap=None, landlock=0, seccomp=False, namespaces=False,
                       uids=None, cgroup=False)  # fmt: skip
    bubblewrap, why = _bubblewrap(root)
    uids = _free_uids() if root else None
    return Machine(
        linux=True,
        known_architecture=kernel.architecture() in kernel.ARCHITECTURES,
        root=root,
        bubblewrap=bubblewrap,
        landlock=kernel.landlock_version(),
        seccomp=_seccomp(),
        namespaces=root and _succeeds(lambda: kernel.unshare(kernel.NEWNS | kernel.NEWPID | kernel.NEWNET | kernel.NEWIPC)),
        uids=uids if uids is not None and _succeeds(lambda: os.setresuid(uids[0], uids[0], uids[0])) else None,
        cgroup=_cgroup(),
        closed=next((c for p in python_folders() if (c := closed_on_the_way(str(p) + "/"))), ""),
        why_not_bubblewrap=why,
    )


def _bubblewrap(root: bool) -> tuple[str | None, str]:
    """(its path when it works here, otherwise why not)."""
    path = shutil.which("bwrap")
    if path is None:
        return None, "it is not installed"
    rights = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else ["--unshare-user"]
    trial = [path, *ISOLATION, *rights, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev",
             "--perms", "1777", "--size", "65536", "--tmpfs", "/dev/shm",  # noqa: S108 - its own
             "--remount-ro", "/", "true"]  # fmt: skip
    try:
        done = subprocess.run(trial, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as exc:
        return None, f"it is installed but does not start: {exc}"
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        return None, f"it is installed but may not make namespaces here: {said[:200]}"
    return path, ""


def _seccomp() -> bool:
    """Asked with no filter at all: a kernel that knows the call complains of the address."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(kernel.PR_SET_SECCOMP, ctypes.c_ulong(2), None, ctypes.c_ulong(0), ctypes.c_ulong(0))
    return ctypes.get_errno() == errno.EFAULT


def _succeeds(trial: Callable[[], None]) -> bool:
    """Whether `trial` works, in a child process of its own."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            trial()
            os._exit(0)
        os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _free_uids() -> tuple[int, int] | None:
    """Numbers that this user namespace has and no account uses: far above all of them, or near the end of a container's few."""
    wanted = (0x70000000, 1 << 24)
    top = 0
    for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines():
        first, _, count = map(int, line.split())
        if first <= wanted[0] and first + count >= sum(wanted):
            return wanted
        top = max(top, first + count)
    return (top - 5000, 4000) if top >= 10_000 else None


def _cgroup() -> bool:
    """Whether this process may make control groups (version 2) that bind memory and processes below its own."""
    with contextlib.suppress(OSError, StopIteration):
        own = next(x for x in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines() if x.startswith("0::"))
        folder = Path("/sys/fs/cgroup") / own[3:].lstrip("/")
        given = (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
        return {"memory", "pids"} <= set(given) and os.access(folder, os.W_OK)
    return False
