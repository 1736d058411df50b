"""`python -m workers.serving --host 127.0.0.1 --port 8010`: runs the predictor until told to stop; with `--fd N` on a listening
socket that it inherits, so that connections wait while it is started again."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis.asyncio as valkey
import redis.exceptions
import uvicorn
import uvloop

from workers.sdk.store import Store
from workers.serving.access import Access
from workers.serving.app import Predictor
from workers.serving.log import PredictionLog
from workers.serving.routing import CHANNEL, DONE_CHANNEL, Directory

log = logging.getLogger("workers.serving")
READY_S = 10.0
"""So long callers of an inherited socket wait for the models before they are told that the predictor is starting."""


def broker() -> valkey.Redis:
    """A client of Valkey, from BROKER_URL as Celery spells it."""
    url = os.environ["BROKER_URL"].replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    return valkey.Redis.from_url(url)


async def listen(wake: asyncio.Event) -> None:
    """Set `wake` at every word on the routing channel; keep trying while Valkey is away (polling goes on meanwhile)."""
    while True:
        try:
            async with broker() as client, client.pubsub() as words:
                await words.subscribe(CHANNEL)
                async for _ in words.listen():
                    wake.set()
        except (redis.exceptions.RedisError, OSError) as error:
            log.info("routing words: Valkey is away (%s)", error)
            await asyncio.sleep(1)


async def tell(deployment: str) -> None:
    """Say that a deployment is live or failed. Best effort: who waits for it also looks into the database."""
    with contextlib.suppress(redis.exceptions.RedisError, OSError):
        async with broker() as client:
            await client.publish(DONE_CHANNEL, deployment)


async def serve(host: str, port: int, fd: int | None) -> None:
    data = Path(os.environ["HEADRACE_DATA_DIR"])
    database = os.environ["DATABASE_URL"]
    store = Store(os.environ.get("ARTIFACT_URL") or str(data / "artifacts"))
    executor = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="infer")
    directory = Directory(database_url=database, store=store, executor=executor, told=tell)
    predictions = PredictionLog(database_url=database, spool=data / "spool" / "predictions", store=store)
    predictions.start()
    app = Predictor(directory=directory, access=Access(database_url=database, secret_key=os.environ["SECRET_KEY"]), predictions=predictions)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=host, port=port, http="httptools", lifespan="off", access_log=False, log_level="warning", timeout_graceful_shutdown=5
        )
    )
    wake = asyncio.Event()
    background = [asyncio.create_task(directory.follow(wake)), asyncio.create_task(listen(wake))]
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                while fd is not None and not directory.ready:
                    await asyncio.sleep(0.01)
        await server.serve(sockets=None if fd is None else [socket.socket(fileno=fd)])
    finally:
        for task in background:
            task.cancel()
        await asyncio.to_thread(predictions.close)


def main() -> None:
    parser = argparse.ArgumentParser(prog="workers.serving")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--fd", type=int, help="a listening socket that is inherited, in place of --host and --port")
    arguments = parser.parse_args()
    logging.basicConfig(level=os.environ.get("HEADRACE_LOG_LEVEL", "INFO"), format="%(levelname)s %(name)s: %(message)s")
    # The log's thread computes while it writes; with the usual 5 ms the loop waits so long each time it has let go of the interpreter.
    sys.setswitchinterval(0.0005)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(arguments.host, arguments.port, arguments.fd))


if __name__ == "__main__":
    main()
