"""Real processes that the real SDK talks to, and a small server that others call."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from label_studio_sdk.client import LabelStudio

from tests import tables

CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="mood" toName="text" required="true">'
    '<Choice value="good"/><Choice value="bad"/></Choices></View>'
)
PICTURE = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="Head"/></RectangleLabels></View>'
)
Clients = Callable[..., LabelStudio]


WEB = ["-m", "uvicorn", "backend.config.asgi:application", "--host", "127.0.0.1", "--port"]
WORKER = ["-m", "celery", "-A", "backend.config.celery", "worker", "-Q", "platform", "-c", "1", "--without-gossip", "--without-mingle"]


@dataclass
class Worker:
    """The platform's worker, which a test may kill and start again."""

    environment: dict[str, str]
    log: Any
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *WORKER], env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def kill(self) -> None:
        """With the process that does the work: nothing gets to tidy up."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)


@dataclass(frozen=True, kw_only=True)
class Running:
    url: str
    tokens: dict[str, str]
    worker: Worker
    database: str

    def client(self, name: str = "olga") -> LabelStudio:
        return LabelStudio(base_url=self.url, api_key=self.tokens[name])


@pytest.fixture(scope="package")
def running() -> Iterator[Running]:
    """The web process and the platform's worker, on a database of their own: what speaks Label Studio's API, and no more."""
    folder, name = Path(tempfile.mkdtemp(prefix="hr-ls-")), f"hr_{uuid.uuid4().hex[:12]}"
    services = os.environ["DATABASE_URL"]
    with psycopg.connect(services, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{tables.STUDIOS}"')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ, "DATABASE_URL": services.replace("/postgres?", f"/{name}?"), "HEADRACE_DATA_DIR": str(folder), "PUBLIC_URL": url,
        "ALLOW_PRIVATE_CALLS": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    log = (folder / "log").open("wb")
    worker = Worker(environment=environment, log=log)
    web: subprocess.Popen[bytes] | None = None
    try:
        said = subprocess.run([sys.executable, "-m", "tests.backend.labelstudio.settle"], env=environment, capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        web = subprocess.Popen([sys.executable, *WEB, str(port)], env=environment, stdout=log, stderr=log)
        worker.start()
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/api/version/").status_code == 200:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError((folder / "log").read_text())
        tokens = json.loads(said.stdout.splitlines()[-1])
        yield Running(url=url, tokens=tokens, worker=worker, database=environment["DATABASE_URL"])
    finally:
        worker.stop()
        if web is not None:
            web.terminate()
            web.wait(30)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sdk(running: Running) -> Clients:
    return running.client


def mood(value: str) -> list[dict[str, Any]]:
    return [{"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [value]}}]


@dataclass
class Server:
    """Keeps what it was sent; `answers` says what it answers to a path."""

    url: str = ""
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    answers: dict[str, Callable[[Any], tuple[int, Any]]] = field(default_factory=dict)

    def of(self, path: str) -> list[Any]:
        return [body for where, _, body in self.got if where == path]

    def wait(self, path: str, want: Callable[[Any], bool] = lambda body: True, seconds: float = 30) -> Any:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := next((body for body in self.of(path) if want(body)), None):
                return found
            time.sleep(0.05)
        raise AssertionError(f"nothing came to {path}; elsewhere: {[where for where, _, _ in self.got]}")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"null"))

        def _answer(self, body: Any) -> None:
            made.got.append((self.path, dict(self.headers), body))
            status, said = made.answers.get(self.path, lambda _: (200, {}))(body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield made
    http.shutdown()
    thread.join()
    http.server_close()
