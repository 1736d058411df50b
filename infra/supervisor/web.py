"""The web process: uvicorn on the listening socket that the supervisor holds, so that a restart refuses no connection."""

from __future__ import annotations

import logging
import os
import socket

LISTEN_FD = "HEADRACE_LISTEN_FD"
KEEP_ALIVE_S = 75
"""So long an idle connection is kept: longer than proxies (nginx: 60 s) and clients keep theirs, so that the one who uses it closes it.
A request that crosses our closing is lost, and a proxy answers it with 502: of a hundred people in ten minutes, with uvicorn's 5 s, six."""


def main() -> None:
    import uvicorn  # not above: the supervisor imports this module for the names, and has no use for a web server's 4 MB

    config = uvicorn.Config(
        "backend.config.asgi:application",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_S,
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1"),
    )
    config.load()
    # Django's logging, set up while the application loads, would bring back a line for every request.
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False

    from django.urls import get_resolver

    # Now, so that a mistake in the code ends this process at once instead of answering every request with an error.
    assert get_resolver().url_patterns

    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(os.environ[LISTEN_FD]))])


if __name__ == "__main__":
    main()
