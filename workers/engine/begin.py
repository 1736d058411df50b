"""`python -m workers.engine.begin …`: becomes `celery …` once this host is wanted. Until then it is a small process that listens.

A host that was stopped from the browser must hear of `start`: its worker processes have ended, this one waits in their place.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

REMOVED = 77
"""Exit status: the studio no longer knows this host."""
EVERY_S = 1.0


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    name = os.environ.get("HEADRACE_GROUP", "steps")
    if _wanted(name) in ("stopped", "removed"):
        logging.getLogger(__name__).info("This host is stopped; its workers start when somebody says so on the Workers page.")
        while (wanted := _wanted(name)) == "stopped":
            time.sleep(EVERY_S)
        if wanted == "removed":
            sys.exit(REMOVED)
    os.execv(sys.executable, [sys.executable, "-m", "celery", *sys.argv[1:]])


def _wanted(name: str) -> str:
    """Asked with a beat, so that the page shows a host that waits for its start."""
    from workers.engine import host
    from workers.engine.ledger import Ledger

    ledger = Ledger()
    try:
        return ledger.host_beat(host.describe(), name, None)
    finally:
        ledger.close()


if __name__ == "__main__":
    main()
