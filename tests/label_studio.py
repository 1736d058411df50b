"""Label Studio itself, in an environment of its own (it cannot be installed beside us), for the slow tests and the bench."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from infra.supervisor.layout import ROOT

RELEASE = "1.23.*"
TOKEN = "a1" * 20
ENVIRONMENT = ROOT / ".venv" / "label-studio"
"""Made once, which takes minutes; `LABEL_STUDIO` names the folder of another environment in which it is."""
QUIET = {
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true", "LATEST_VERSION_CHECK": "false", "COLLECT_ANALYTICS": "false", "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "", "DEBUG": "false", "PYTHONDONTWRITEBYTECODE": "",
}  # fmt: skip
"""Nothing is asked of the world: where it cannot be reached, a start would wait for minutes."""
OURS = ("DATABASE_URL", "BROKER_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "PYTHONPATH")


class CannotInstall(Exception):
    """Label Studio cannot be installed here; the argument says why."""


def installed() -> Path:
    """The `bin` folder of an environment with Label Studio and gunicorn."""
    folder = Path(os.environ.get("LABEL_STUDIO") or ENVIRONMENT)
    if not (folder / "bin" / "label-studio").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        done = subprocess.run(
            [str(folder / "bin" / "pip"), "install", "-q", f"label-studio=={RELEASE}", "gunicorn"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotInstall((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    return folder / "bin"


@contextlib.contextmanager
def running(folder: Path, database: str | None = None, workers: int = 2) -> Iterator[str]:
    """Its address. With `database` (an empty one's URL, on a Unix socket): on PostgreSQL behind gunicorn with `workers` processes of
    four threads, else its own development server on SQLite. `TOKEN` is its account's."""
    programs = installed()
    environment = {k: v for k, v in os.environ.items() if k not in OURS} | QUIET | {"LABEL_STUDIO_BASE_DATA_DIR": str(folder)}
    if database:
        there = urlsplit(database)
        environment |= {
            "DJANGO_DB": "default", "POSTGRE_NAME": there.path.strip("/"), "POSTGRE_USER": there.username or "", "POSTGRE_PASSWORD": "-",
            "POSTGRE_HOST": parse_qs(there.query)["host"][0], "POSTGRE_PORT": "5432",
        }  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    account = ["--username", "sam@other.example", "--password", "the mill turns by night", "--user-token", TOKEN]
    first = [str(programs / "label-studio"), "start", "--no-browser", "--data-dir", str(folder), "--port", str(port), *account]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(first, env=environment, stdout=log, stderr=log)
        try:
            _wait(url, server, folder / "log")
            if database:
                server.terminate()
                server.wait(30)
                code = next((programs.parent / "lib").glob("python*/site-packages/label_studio"))
                command = [str(programs / "gunicorn"), "core.wsgi", "--chdir", str(code), "--bind", f"127.0.0.1:{port}"]
                command += ["--workers", str(workers), "--threads", "4", "--keep-alive", "75", "--log-level", "warning"]
                environment |= {"DJANGO_SETTINGS_MODULE": "core.settings.label_studio"}
                server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
                _wait(url, server, folder / "log")
            yield url
        finally:
            server.terminate()
            server.wait(30)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        time.sleep(0.5)
    raise RuntimeError("Label Studio did not start: " + log.read_text(errors="replace")[-2000:])
