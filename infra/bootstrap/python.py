"""The environment itself: `.venv`, the locked packages, torch, the scripts of the project."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from infra.bootstrap.base import PYTHON, ROOT, RUNTIME_LOCK, STAMPS, TOOLS_LOCK, VENV, Failed, call, digest, pins, stamp
from infra.bootstrap.progress import Progress, progress

NEWEST = (3, 13)


def refuse_unfit() -> None:
    """A Python too new for the locked packages: go on with one that fits, if one lies beside it."""
    if PYTHON.exists() or sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], 10, -1):
        if other := shutil.which(f"python3.{minor}"):
            os.execv(other, [other, str(ROOT / "manage.py"), *sys.argv[1:]])
    raise Failed(f"Headrace needs Python 3.11, 3.12 or 3.13; this is {platform.python_version()} and no fitting one is on the PATH.")


def make() -> None:
    """The empty environment. One whose Python is gone (removed or replaced by the system) is made anew."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Failed(
            f"This Python ({sys.executable}) has no venv or ensurepip. On Debian and Ubuntu: apt-get install python3-venv; "
            "elsewhere install a complete Python 3.11, 3.12 or 3.13."
        )
    if not _works():
        STAMPS.unlink(missing_ok=True)
        for part in ("bin", "lib", "lib64", "include"):
            if (VENV / part).is_symlink():
                (VENV / part).unlink()
            shutil.rmtree(VENV / part, ignore_errors=True)
    with progress("Environment"):
        call([sys.executable, "-m", "venv", str(VENV)], "The environment could not be made")
        stamp(python=platform.python_version())


def _works() -> bool:
    try:
        return subprocess.run([PYTHON, "-c", "import pip"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def install_packages() -> None:
    _install_lock("Python packages", RUNTIME_LOCK, "packages")


def install_tools() -> None:
    _install_lock("Test and lint tools", TOOLS_LOCK, "tools")


def _install_lock(title: str, lock: Path, name: str) -> None:
    total = len(pins(lock))
    with progress(title, total) as shown:
        pip(["--require-hashes", "--no-deps", "-r", str(lock)], shown)
        stamp(**{name: digest(lock)})


def install_torch() -> None:
    """By name, not from the lock: which build fits (processor only, or which CUDA) is the machine's and its index's to say.

    What it needs is locked already; the constraints keep it so (pip cannot mix hashes with a requirement that has none).
    """
    with progress("torch") as shown:
        constraints = VENV / "constraints.txt"
        constraints.write_text("".join(f"{pin}\n" for pin in pins(RUNTIME_LOCK)))
        pip([f"torch=={torch_version()}", "-c", str(constraints)], shown)
        stamp(torch=torch_version())


def write_scripts() -> None:
    """`.venv/bin/headrace`, and the project on the environment's path: what an editable install would do, without building anything."""
    site = next((VENV / "lib").glob("python3*/site-packages"))
    (site / "headrace.pth").write_text(_path_file())
    script = VENV / "bin" / "headrace"
    script.write_text(_script())
    script.chmod(0o755)
    stamp(scripts=scripts())


def scripts() -> str:
    """What they are made from."""
    return hashlib.sha256((_path_file() + _script()).encode()).hexdigest()


def _path_file() -> str:
    # A shell that says PYTHONDONTWRITEBYTECODE (many containers do) would have each of our many processes compile everything anew,
    # torch among it: twice the time of every start. Kept in the environment, so that nothing appears beside anybody's sources.
    keep = f"import sys; sys.dont_write_bytecode = False; sys.pycache_prefix = {str(VENV / 'bytecode')!a}"
    return f"{ROOT}\n{keep}\n"


def _script() -> str:
    # Through a shell, because the first line of a script may hold neither a space nor more than 127 bytes.
    quoted = str(PYTHON).replace("'", "'\"'\"'")
    return f"#!/bin/sh\nexec '{quoted}' -c 'import sys; sys.argv[0] = \"headrace\"; from infra.cli import main; main()' \"$@\"\n"


def torch_version() -> str:
    import tomllib

    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["tool"]["headrace"]["torch"])


def pip(arguments: list[str], shown: Progress | None = None) -> None:
    """pip without its advice. Bytecode is compiled when a module is first used: most of these modules never are."""
    environment = {
        **os.environ,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_NO_WARN_SCRIPT_LOCATION": "1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--no-compile", "--progress-bar", "off", *arguments]

    def line(text: str) -> None:
        if shown is None:
            return
        if found := re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", text):
            shown.step(found[1])
        elif text.startswith("Installing collected packages"):
            shown.note("installing")

    call(command, "Packages could not be installed", environment=environment, line=line)
