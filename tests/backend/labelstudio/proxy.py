"""A way to a server that counts what goes along it, and can hold an answer back after the server has done what was asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

PASSED = ("authorization", "content-type", "accept")


@dataclass
class Proxy:
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """“GET /api/tasks/” and so on, without what is behind the question mark."""
    hold: str = ""
    held: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    instead: dict[bytes, bytes] = field(default_factory=dict)
    """What answers say, and what is told of it: values that our own server would never have kept."""

    def hold_next(self, what: str) -> None:
        """The answer to the next request that matches is kept until `release` is set."""
        self.held.clear()
        self.release.clear()
        self.hold = what


@contextmanager
def proxy_to(server: str) -> Iterator[Proxy]:
    made = Proxy()
    client = httpx.Client(base_url=server, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            asked = f"{self.command} {self.path.partition('?')[0]}"
            made.asked.append(asked)
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED}
            answer = client.request(self.command, self.path, content=body, headers=headers)
            if made.hold and re.fullmatch(made.hold, asked):
                made.hold = ""
                made.held.set()
                made.release.wait(60)
            said = answer.content
            for old, new in made.instead.items():
                said = said.replace(old, new)
            try:
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("content-type", ""))
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
            except OSError:
                pass  # whoever asked was killed

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass_on

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.release.set()
        http.shutdown()
        thread.join()
        http.server_close()
        client.close()
