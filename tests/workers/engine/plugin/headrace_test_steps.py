"""Small components for the engine's tests, installed as a plug-in is."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

from pydantic import Field

from workers.sdk import context
from workers.sdk.component import component
from workers.sdk.errors import StepError
from workers.sdk.kinds import Artifact, Metrics, Recipe, fresh

Number = Annotated[float, Field(description="A number.")]
Text = Annotated[str, Field(description="Some text.")]


@component(stage="data")
def number(*, value: Number = 0) -> Recipe:
    """A number"""
    return Recipe.of({"value": value})


@component(stage="data")
def add(first: list[Recipe], *, plus: Number = 0, note: Text = "") -> Recipe:
    """Add numbers"""
    return Recipe.of({"value": sum(f.value["value"] for f in first) + plus})


@component(stage="data")
def halve(whole: Recipe, *, note: Text = "") -> Recipe:
    """Half of a number, rounded down: different inputs may give the same result"""
    return Recipe.of({"value": whole.value["value"] // 2})


@component(stage="evaluate")
def score(of: Recipe) -> Metrics:
    """Score"""
    return Metrics.of({"task": "regression", "values": {"score": {"value": of.value["value"], "low": None, "high": None}}})


@component(stage="data")
def nothing(after: list[Recipe] | None = None, *, note: Text = "") -> Recipe:
    """Do nothing"""
    return Recipe.of({"value": 0})


@component(stage="data", cacheable=False)
def mark(after: list[Recipe] | None = None, *, folder: Text, name: Text, seconds: Number = 0) -> Recipe:
    """Leave a file behind for each time it begins and each time it ends"""
    begun = Path(folder) / f"{name}.begun.{time.time_ns()}.{os.getpid()}"
    begun.touch()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        context.current().check_cancelled()
        time.sleep(0.02)
    (Path(folder) / f"{name}.done.{time.time_ns()}").touch()
    return Recipe.of({"value": 1})


@component(stage="data", cacheable=False)
def fail(
    after: list[Recipe] | None = None,
    *,
    folder: Text = "",
    times: Annotated[int, Field(description="How often.")] = 10**6,
    mistake: Annotated[bool, Field(description="A user's?")] = False,
) -> Recipe:
    """Fail some times, then succeed"""
    if mistake:
        raise StepError("The column “age” is not there.", hint="Choose one of: height.", field="column")
    count = Path(folder) / "failures"
    seen = len(count.read_text()) if count.exists() else 0
    if seen < times:
        count.write_text("x" * (seen + 1))
        raise RuntimeError(f"failure {seen + 1}")
    return Recipe.of({"value": seen})


@component(stage="data", cacheable=False)
def speak(*, secret: Text = "", lines: Annotated[int, Field(description="How many.")] = 0) -> Recipe:
    """Say something in every way there is"""
    print("by print")
    print("by stderr", file=sys.stderr)
    ctypes.CDLL(None).printf(b"by a C library\n")
    subprocess.run([sys.executable, "-c", "print('by a child process')"], check=True)
    logging.getLogger("somebody").warning("by logging")
    context.current().log("by the context")
    print("\x1b[31mcoloured\x1b[0m")
    print("10%\r50%\r100%")
    print("x" * 10_000)
    client = context.current().client
    print("token", client._http.headers.get("Authorization", ""))
    for i in range(lines):
        print(i)
    for i in range(5):
        context.current().metric("loss", 1 / (i + 1), i)
    context.current().metric("loss", float("nan"), 5)
    context.current().progress(0.5, "half way")
    print("no newline", end="")
    return Recipe.of({"value": 0})


@component(stage="train", cacheable=False, isolate=True)
def burn(*, folder: Text, seconds: Number = 60) -> Recipe:
    """A torch computation that never looks whether it should stop"""
    import torch

    (Path(folder) / f"burning.{os.getpid()}").touch()
    print("burning in", os.getpid())
    end = time.monotonic() + seconds
    x = torch.randn(300, 300)
    while time.monotonic() < end:
        x = torch.tanh(x @ x.T / 300)
    (Path(folder) / "burnt").touch()
    return Recipe.of({"value": float(torch.isfinite(x).all())})


@component(stage="train", cacheable=False, isolate=True)
def apart(*, how: Text = "") -> Recipe:
    """Look at the process it runs in"""
    import random

    context.current().progress(0.25, "a quarter")
    context.current().metric("seen", 1, 0)
    print("said apart")
    if how == "segfault":
        ctypes.string_at(0)
    if how == "exit":
        os._exit(3)
    if how == "raise":
        raise ValueError("apart and wrong")
    hidden = [n for n in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL") if n in os.environ]
    return Recipe.of({"pid": os.getpid(), "hidden": hidden, "random": random.random(), "device": context.current().device})


@component(stage="publish", cacheable=False, changes=True)
def announce(what: Recipe) -> Recipe:
    """Change something outside"""
    return what


@component(stage="train", cacheable=False, isolate=True)
def swallow(*, how: Text = "") -> Recipe:
    """Take more memory than there is"""
    import resource

    if how == "limit":
        held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (held + (256 << 20), held + (256 << 20)))
        return Recipe.of({"value": len(bytearray(1 << 30))})
    if how == "numpy":
        import numpy as np

        return Recipe.of({"value": float(np.ones(1 << 50).sum())})
    if how == "torch":
        import torch

        return Recipe.of({"value": float(torch.ones(1 << 50).sum())})
    if how == "cuda":
        raise RuntimeError(
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which 1.50 GiB is free."
        )
    if how == "kernel":
        group = Path(os.environ["HEADRACE_DATA_DIR"]).parent / "cgroup"
        (group / "cgroup.procs").write_text(str(os.getpid()))
        held = []
        while True:
            held.append(bytearray(8 << 20))
    held = bytearray(200 << 20)
    return Recipe.of({"value": len(held)})


@component(stage="data", cacheable=False)
def stubborn(*, folder: Text) -> Recipe:
    """Waits in a C library for a lock it holds itself: no signal brings it back"""
    (Path(folder) / f"deaf.{os.getpid()}").touch()
    lock = ctypes.create_string_buffer(128)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(lock)
    return Recipe.of({"value": 0})


@component(stage="data", cacheable=False)
def murder() -> Recipe:
    """Kills the process it runs in"""
    os.kill(os.getpid(), 9)
    return Recipe.of({"value": 0})


@component(stage="data", cacheable=False)
def leave() -> Recipe:
    """Leaves a process running that speaks later"""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1); print('too late', flush=True)"])
    return Recipe.of({"value": 0})


@component(stage="data")
def big(*, size: Annotated[int, Field(description="Bytes.")] = 100_000) -> Artifact:
    """A folder with files, and more JSON than fits inline"""
    folder = fresh("")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("a" * size)
    return Artifact(path=folder, metadata={"files": 1})


def _tell(text: str, how: str) -> Recipe:
    here = context.current()
    print("printed", text)
    print("spelled", repr(text), file=sys.stderr)
    here.log(f"logged {text}")
    logging.getLogger("told").warning("warned %s", text)
    here.progress(0.5, f"at {text}")
    here.metric(f"series {text}", 1, 1)
    if how == "raise":
        raise RuntimeError(f"failed with {text}")
    return Recipe.of({"length": len(text)}, said=text, inside=[{"again": f"<{text}>"}])


@component(stage="data", cacheable=False)
def tell(*, text: Text, how: Text = "") -> Recipe:
    """Say a text everywhere a step can"""
    return _tell(text, how)


@component(stage="data", cacheable=False, isolate=True)
def tell_apart(*, text: Text, how: Text = "") -> Recipe:
    """Say a text everywhere a step can, in a process of its own"""
    return _tell(text, how)


@component(stage="data", cacheable=False)
def fail_apart(*, folder: Text, name: Text, times: Annotated[int, Field(description="How often.")] = 1) -> Recipe:
    """Fail some times, counted by step, then succeed with the same result however often it was tried"""
    for n in range(times):
        try:
            (Path(folder) / f"{name}.failed.{n}").touch(exist_ok=False)
        except FileExistsError:
            continue
        raise RuntimeError(f"failure {n + 1}")
    return Recipe.of({"value": times})


@component(stage="data")
def speech(*, text: Text) -> Recipe:
    """Many words, which do not fit the ledger"""
    return Recipe.of({"value": 1, "text": text})


@component(stage="train", resources="gpu", cacheable=False)
def devices() -> Recipe:
    """Which devices the step may see"""
    return Recipe.of({"visible": os.environ.get("CUDA_VISIBLE_DEVICES"), "device": context.current().device})


@component(stage="train", resources="gpu", cacheable=False, isolate=True, spread=True)
def learn(*, folder: Text, pause: Number = 0) -> Recipe:
    """Learn to add, on as many devices as there are"""
    import numpy as np
    import torch

    from workers.training import loop

    here = context.current()
    (Path(folder) / f"rank.{here.rank}.{here.world}.{os.getpid()}").touch()
    loop.CHECKPOINT_EVERY_S = 0.0
    x = np.random.default_rng(0).normal(size=(256, 4)).astype(np.float32)
    data = loop.Examples(x=x, y=torch.from_numpy(x.sum(axis=1)))
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)

    def slowly(given: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        time.sleep(pause)
        return given

    plan = loop.Plan(epochs=8, batch_size=31, learning_rate=0.05)  # a last batch that no two processes share evenly
    loop.fit(model, data, data, plan, loss_of=loop.value_loss, quality_of=lambda a, b: {}, augment=slowly)
    return Recipe.of({"weights": [round(float(w), 5) for p in model.parameters() for w in p.flatten()]})
