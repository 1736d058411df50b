"""Escape attempts on the real sandbox: every mode this machine can give, as root (where the tests are) and as a plain user."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workers.engine.sandbox_attempts import ATTEMPTS
from tests.workers.engine.sandbox_lab import SECRET, Lab
from workers.engine.sandbox import filter as calls
from workers.engine.sandbox import kernel
from workers.engine.sandbox.machine import probe

pytestmark = pytest.mark.timeout(600)
Json = dict[str, Any]
MACHINE = probe()
WAYS = [
    (mode, plain)
    for mode in (MACHINE.modes if sys.platform == "linux" else ())
    for plain in ([False, True] if os.geteuid() == 0 else [True])
]
HEAD = "import os, sys, time, signal, ctypes, json\n"


def step(body: str, head: str = HEAD, returns: str = "Metrics") -> str:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    return f'{head}\ndef attempt() -> {returns}:\n    """Attempt"""\n{lines}\n'


EVERY_DAY = [("bubblewrap", True), ("landlock", False)]
"""Each wall once, each kind of account once; `--all` tries each with each."""


def param(way: tuple[str, bool]) -> Any:
    return pytest.param(way, marks=[pytest.mark.slow] if len(WAYS) > len(EVERY_DAY) and way not in EVERY_DAY else [])


@pytest.fixture(scope="module", params=map(param, WAYS), ids=lambda w: f"{w[0]} as {'a plain user' if w[1] else 'root'}")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    made = Lab(request.param[0], plain=request.param[1])
    yield made
    made.close()


def everything(lab: Lab) -> Json:
    """What the text of all attempts got."""
    which = calls_of()
    artifact, victim = lab.folder / "data" / "artifacts" / "aa" / "secret", lab.folder / "open" / "victim"
    artifact.parent.mkdir(parents=True, exist_ok=True)
    artifact.write_text("somebody else's rows")
    victim.write_text("theirs")
    uid = int(Path(f"/proc/{lab.pid}").stat().st_uid)
    if os.geteuid() == 0:
        for path in (artifact, victim):
            os.chown(path, uid, uid)
    path = lab.folder / "open" / "service"
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        unix.bind(str(path))
        unix.listen()
        path.chmod(0o777)
        told = {"artifact": str(artifact), "data": str(lab.folder / "data"), "secret": SECRET, "worker": lab.pid, "socket": str(path),
                "port": tcp.getsockname()[1], "open": str(lab.folder / "open"), "victim": str(victim), "uid": uid, **which}  # fmt: skip
        got: Json = lab.value(ATTEMPTS, parameters={"told": json.dumps(told)})
        for listening in (tcp, unix):
            listening.setblocking(False)
            with pytest.raises(BlockingIOError):
                listening.accept()
    path.unlink()
    assert victim.read_text() == "theirs" and victim.stat().st_mode & 0o777 == 0o644 and victim.stat().st_mtime > 1
    assert sorted(p.name for p in (lab.folder / "open").iterdir()) == ["victim"]
    assert not Path("/var/tmp/hr-left").exists()
    return got


def calls_of() -> Json:
    n = ("x86_64", "aarch64").index(kernel.architecture())
    return {"calls": {name: pair[n] for name, pair in calls.DENIED.items() if pair[n] is not None}, "ptrace": calls.DENIED["ptrace"][n],
            "clone": (56, 220)[n]}  # fmt: skip


def look_over(got: Json) -> None:
    for what, answer in got["got"].items():
        assert answer.startswith("refused") or answer in ("EPERM", "as it was"), f"{what}: {answer[:200]}"
    assert {name: a for name, a in got["calls"].items() if a != "EPERM"} == {"clone3": "ENOSYS"}
    assert SECRET not in json.dumps(got["environment"]) and not {"DATABASE_URL", "BROKER_URL", "SECRET_KEY"} & set(got["environment"])
    assert got["uid"] != 0 and got["descriptors"] == [] and got["privileges"] == ["1", "", "2"]


def test_nothing_is_reached(lab: Lab) -> None:
    got = everything(lab)
    look_over(got)
    assert got["groups"] == []


def test_a_kernel_with_an_old_landlock() -> None:
    """Version 3 keeps neither signals nor abstract sockets inside: the filter does, and a process can still end itself."""
    made = Lab("landlock", plain=True, landlock=3)
    try:
        look_over(everything(made))
        died = made.run(step("os.abort()"))
        assert died["error"]["code"] == "process_crashed" and "SIGABRT" in died["error"]["message"], died
    finally:
        made.close()


def test_bombs(lab: Lab) -> None:
    """One user's step would take the machine from all the others."""
    fork = step("while True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.01)")
    ended = lab.run(fork, limits={"processes": 40, "wall_s": 15})
    assert ended["error"]["code"] in ("timeout", "too_many_processes"), ended
    assert not of_step(lab)
    big = lab.run(step("x = bytearray(2 << 30)\nreturn Metrics.of({})"), limits={"memory": 1 << 29})
    assert big["error"]["code"] == "out_of_memory", big
    many = step("import mmap\nx = mmap.mmap(-1, 1 << 30)\nfor i in range(0, 1 << 30, 4096):\n    x[i] = 1\ntime.sleep(60)")
    ended = lab.run(many, limits={"memory": 1 << 28})
    assert ended["error"]["code"] == "out_of_memory", ended
    disk = step("n = 0\nwhile True:\n    n += 1\n    with open(f'f{n}', 'wb') as f:\n        f.write(bytes(4 << 20))")
    ended = lab.run(disk, limits={"scratch": 64 << 20})
    assert ended["error"]["code"] == "disk_full" and not ended["left"], ended
    files = step("n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'wb').close()")
    assert lab.run(files, limits={"scratch_files": 500})["error"]["code"] == "too_many_files"
    one = step("with open('f', 'wb') as f:\n    f.truncate(1 << 30)\nreturn Metrics.of({})")
    assert "File too large" in lab.run(one, limits={"scratch": 64 << 20})["error"]["message"]
    loud = lab.run(step("while True:\n    print('x' * 10_000)"), limits={"output": 4 << 20})
    assert loud["error"]["code"] == "too_much_output", loud
    busy = lab.run(step("while True:\n    pass"), limits={"cpu_s": 4})
    assert busy["error"]["code"] == "cpu_time", busy


def test_a_step_that_will_not_stop(lab: Lab) -> None:
    """A cancelled step goes on and holds the worker."""
    stubborn = step("for n in range(1, 65):\n    try:\n        signal.signal(n, signal.SIG_IGN)\n"
                    "    except (OSError, ValueError):\n        pass\n"
                    "os.setsid() if os.getpid() != os.getsid(0) else None\nwhile True:\n    pass")  # fmt: skip
    ended = lab.run(stubborn, cancel_after=3)
    assert ended["outcome"] == "cancelled", ended
    ended = lab.run(stubborn, limits={"wall_s": 3})
    assert ended["error"]["code"] == "timeout" and not of_step(lab), ended
    polite = step("import itertools\nfor _ in itertools.count():\n    context.current().check_cancelled()\n    time.sleep(0.01)")
    assert lab.run(polite, cancel_after=3)["outcome"] == "cancelled"


LEAVES = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(64):
            try: os.close(fd)
            except OSError: pass
        while True:
            try:
                open("late", "ab").write(b"x")
            except OSError: pass
            time.sleep(0.01)
    os._exit(0)
while not (os.path.exists("late") and os.path.getsize("late")):
    time.sleep(0.01)
"""


def of_step(lab: Lab) -> list[str]:
    """Command lines of processes that began as a step of this lab."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
                if b"sandbox.inside" in line and str(lab.pid) in above(int(entry.name)):
                    found.append(f"{entry.name} {line!r}")
            except (OSError, IndexError):
                continue
    return found


def above(pid: int) -> list[str]:
    """The numbers of the process's ancestors; a daemon's go up to the first process."""
    found: list[str] = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.append(str(pid))
    return found


def named(name: str) -> str:
    """Code that gives the step's thread, and what it forks from then on, this name."""
    return f"ctypes.CDLL(None).prctl(15, {name!r}.encode())  # PR_SET_NAME\n"


def bearers(name: str) -> set[int]:
    """Processes that bear the name, whoever their parent is now. (Other tests have sandboxes on this machine too.)"""
    return {pid for pid, line, names in processes() if line and name in names}  # a dead one has no line


def of_lab(lab: Lab, name: str) -> set[int]:
    """Its steps' processes and those that lead to them, which have the lab's folder in their command line."""
    return bearers(name) | {pid for pid, line, _ in processes() if pid != lab.pid and str(lab.folder).encode() in line}


def processes() -> Iterator[tuple[int, bytes, list[str]]]:
    """Number, command line and the threads' names of all processes of this machine."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                names = [(task / "comm").read_text().strip() for task in (entry / "task").iterdir()]
                yield int(entry.name), (entry / "cmdline").read_bytes(), names


def test_nothing_is_left_behind(lab: Lab) -> None:
    """A miner that goes on when the step has ended."""
    name = f"left-{secrets.token_hex(4)}"
    assert lab.value(step(named(name) + LEAVES + "return Metrics.of({'ok': 1})")) == {"ok": 1}
    assert not of_lab(lab, name)


def test_it_dies_with_its_worker() -> None:
    for mode, plain in WAYS:
        made, name = Lab(mode, plain=plain), f"left-{secrets.token_hex(4)}"
        try:
            made.send(source=step(named(name) + LEAVES + "context.current().log('ready')\ntime.sleep(600)"))
            deadline = time.monotonic() + 120
            while len(bearers(name)) < 2:
                assert time.monotonic() < deadline, "the step did not begin"
                time.sleep(0.05)
            time.sleep(1)
            os.kill(made.pid, signal.SIGKILL)
            while of_lab(made, name):
                assert time.monotonic() < deadline, f"{mode}: {of_lab(made, name)} outlived the worker"
                time.sleep(0.05)
        finally:
            made.close()


SPEAKS = """
import socket, stat, struct
from workers.engine import wire
def is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False
control = next(socket.socket(fileno=os.dup(fd)) for fd in range(3, 256) if is_socket(fd))
"""


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ("control.sendall(struct.pack('>I', 4_000_000_000) + b'x' * 100_000); time.sleep(60)", "bad_message"),
        ("control.sendall(struct.pack('>I', 200_000) + b'[' * 200_000); time.sleep(60)", "bad_message"),
        ("control.sendall(struct.pack('>I', 4) + bytes([128, 4, 99, 46])); time.sleep(60)", "bad_message"),
        ("wire.send(control, {'type': 'metric', 'name': ['x'], 'value': {}, 'index': 1}); time.sleep(60)", "bad_message"),
        ("wire.send(control, {'type': 'log', 'lines': [1], 'level': 'info'}); time.sleep(60)", "bad_message"),
        ("wire.send(control, {'type': 'result'}); os._exit(0)", "step_error"),
        ("wire.send(control, {'type': 'result', 'outputs': [{'port': 'other'}]}); os._exit(0)", "step_error"),
        ("wire.send(control, {'type': 'error', 'outcome': 'cancelled', 'error': 7, 'retry': 'yes'}); os._exit(0)", "stopped"),
        ("wire.send(control, {'type': 'result', 'outputs': [{'port': 'metrics', 'kind': 'Metrics', 'digest': '" + "0" * 64
         + "', 'metadata': {}, 'inline': None, 'media_type': 'application/json'}]}); os._exit(0)", "step_error"),
        ("os._exit(0)", "exit"),
    ],
)  # fmt: skip
def test_hostile_words(lab: Lab, says: str, code: str) -> None:
    """A step talks the worker down, or into taking what it does not have."""
    ended = lab.run(step(SPEAKS + says))
    assert ended["error"]["code"] == code, ended


def test_a_flood_of_messages_waits_for_the_worker(lab: Lab) -> None:
    flood = step(SPEAKS + "while True:\n    wire.send(control, {'type': 'progress', 'fraction': 2e9, 'message': 'x'})")
    ended = lab.run(flood, limits={"wall_s": 6, "messages_per_s": 100})
    assert ended["error"]["code"] == "timeout", ended
    assert 0 < len(ended["fractions"]) < 3_000 and set(ended["fractions"]) == {1.0}


def test_a_step_that_changes_the_kit_changes_only_itself(lab: Lab) -> None:
    text = "from workers.engine import store\nstore.save = lambda *a: {'port': 'metrics', 'kind': 'Model'}\nreturn Metrics.of({})"
    assert lab.run(step(text))["error"]["code"] == "step_error"
    assert lab.value(step("return Metrics.of({'a': 1})")) == {"a": 1}


def test_a_machine_without_a_sandbox_says_what_to_install() -> None:
    import dataclasses

    from workers.engine.sandbox.machine import NoSandbox

    bare = dataclasses.replace(MACHINE, bubblewrap=None, landlock=2, why_not_bubblewrap="it is not installed")
    with pytest.raises(NoSandbox) as caught:
        bare.choose()
    assert "bubblewrap" in caught.value.hint and "Linux 6.2" in caught.value.hint
