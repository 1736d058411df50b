"""`python -m backend.runs.triggers.listen`: hears the topics of all triggers (Kafka, Redis streams, MQTT) and leaves what comes as events.

Started by the clock while there is a topic to listen to; ends by itself when there is none any more, or when who started it is gone.
Any number may run, one at a time listens (an advisory lock; the others wait for it). It knows of changes within a moment by NOTIFY,
connects again with a growing pause, and says on the trigger how it stands. What it hears is acknowledged to the broker only after
its event is committed: it may come again, which the event's key makes harmless, and is never lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
django.setup()

import psycopg  # noqa: E402 - Django must be set up before these imports
from django.conf import settings  # noqa: E402 - as above
from django.db import close_old_connections  # noqa: E402 - as above
from django.utils import timezone  # noqa: E402 - as above

from backend.core.errors import HeadraceError  # noqa: E402 - as above
from backend.core.secrets import decrypt  # noqa: E402 - as above
from backend.runs.triggers import brokers  # noqa: E402 - as above
from backend.runs.triggers.events import MOST_BYTES, cloud_event, envelope, parse  # noqa: E402 - as above
from backend.runs.triggers.kind import find_kind, topics  # noqa: E402 - as above
from backend.runs.triggers.models import Trigger  # noqa: E402 - as above
from backend.runs.triggers.receive import CHANNEL, changed, receive  # noqa: E402 - as above

log = logging.getLogger("headrace.triggers")
LOCK = 0x7472_6967_6765_7273
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
BEAT_S = 30.0
"""How often it says that it is there, and looks at all triggers even if nobody said that one changed."""
IDLE_S = 20.0
"""Without a topic for this long it ends."""
T = TypeVar("T")


class Listener:
    def __init__(self) -> None:
        self._parent = os.getppid()
        self._stopped = asyncio.Event()
        self._tasks: dict[UUID, tuple[str, asyncio.Task[None]]] = {}
        self._states: dict[UUID, tuple[str, str]] = {}
        # One thread: the database's connection is its own, and events are kept in the order in which they came.
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        orphaned = asyncio.create_task(self._watch_parent())
        try:
            await self._serve()
        finally:
            orphaned.cancel()
            for _, task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in self._tasks.values()), return_exceptions=True)
            self._database.shutdown()

    async def _watch_parent(self) -> None:
        while os.getppid() == self._parent:
            await asyncio.sleep(1)
        self.stop()

    async def _serve(self) -> None:
        """Hold the lock, follow what changes, until stopped or nothing is left to listen to."""
        idle = 0.0
        while not self._stopped.is_set():
            try:
                async with await psycopg.AsyncConnection.connect(settings.DATABASE_URL, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    held = False
                    while not self._stopped.is_set():
                        if not held:
                            row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])).fetchone()
                            held = bool(row and row[0])
                        if held:
                            idle = 0.0 if await self._follow() else idle + 1
                            if idle > 1:
                                return
                        await self._heard(connection, (BEAT_S if self._tasks else IDLE_S) if held else 2.0)
            except psycopg.Error as exc:
                log.warning("The database is away (%s); listening goes on when it is back.", str(exc).strip())
                await self._drop()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), 2)

    async def _heard(self, connection: psycopg.AsyncConnection[Any], seconds: float) -> None:
        """Until a trigger changed, we are stopped, or the time is over."""

        async def change() -> None:
            async for word in connection.notifies(timeout=seconds):
                if word.payload == "changed":
                    return

        waiting = [asyncio.create_task(change()), asyncio.create_task(self._stopped.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            results = await asyncio.gather(*waiting, return_exceptions=True)
        for result in results:
            if isinstance(result, psycopg.Error):
                raise result

    async def _follow(self) -> bool:
        """Listen to exactly the topics that triggers name now; True while there are any."""
        wanted = {t.pk: t for t in await self._db(_wanted)}
        gone = [pk for pk, (mark, _) in self._tasks.items() if pk not in wanted or mark != _mark(wanted[pk])]
        await self._drop(gone)
        for pk, trigger in wanted.items():
            if pk not in self._tasks:
                self._tasks[pk] = (_mark(trigger), asyncio.create_task(self._listen(trigger)))
            elif pk in self._states:
                await self._say(trigger, *self._states[pk])
        return bool(wanted)

    async def _drop(self, which: list[UUID] | None = None) -> None:
        for pk in list(self._tasks) if which is None else which:
            _, task = self._tasks.pop(pk)
            self._states.pop(pk, None)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, trigger: Trigger) -> None:
        """One topic, for ever: connect, consume; after an error say what it was and try again later."""
        pause = FIRST_PAUSE

        async def connected() -> None:
            nonlocal pause
            pause = FIRST_PAUSE
            await self._say(trigger, "connected", "")

        async def inbox(*, key: str, source: str, body: bytes | str, about: dict[str, Any]) -> None:
            await self._db(lambda: _keep(trigger, key, source, body, about))

        while True:
            try:
                kind = find_kind(trigger.kind)
                assert kind.listen is not None
                secrets = {name: decrypt(trigger.secrets[name]) for name in kind.secret_fields() if name in trigger.secrets}
                config = kind.read({**trigger.config, **secrets})
                await kind.listen(config, f"headrace-{trigger.pk.hex[-12:]}", inbox, connected)
                told = "The broker ended the connection."
            except HeadraceError as exc:
                told = f"{exc} {exc.hint}".strip()
            except Exception as exc:  # each client has errors of its own; all of them are told and tried again
                log.info("trigger %s: %s: %s", trigger.slug, type(exc).__name__, exc)
                told = _told(exc)
            await self._say(trigger, "error", told)
            await asyncio.sleep(pause * (0.8 + 0.4 * random.random()))  # noqa: S311 - only so that not all come at once
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _say(self, trigger: Trigger, state: str, message: str) -> None:
        new = self._states.get(trigger.pk) != (state, message)
        self._states[trigger.pk] = (state, message)
        try:
            await self._db(lambda: _note(trigger, state, message, new))
        except Exception as exc:
            log.warning("trigger %s: its state could not be kept: %s", trigger.slug, exc)

    async def _db(self, call: Callable[[], T]) -> T:
        def inside() -> T:
            close_old_connections()
            try:
                return call()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._database, inside)


def _wanted() -> list[Trigger]:
    found = Trigger.objects.select_related("project").filter(kind__in=topics(), enabled=True, deleted_at=None, project__archived_at=None)
    return list(found)


def _mark(trigger: Trigger) -> str:
    """What must be the same for a connection to go on."""
    return repr((trigger.kind, trigger.config, trigger.secrets, trigger.coalesce_s))


def _keep(trigger: Trigger, key: str, source: str, body: bytes | str, about: dict[str, Any]) -> None:
    """One message as an event, committed when this returns. One that cannot be an event is kept as one that was refused: it must
    not come again for ever."""
    fresh = Trigger.objects.select_related("project").get(pk=trigger.pk)
    if len(body) > MOST_BYTES:
        payload = envelope(trigger.kind, source, None, id=key)
        receive(
            fresh,
            key=key,
            source=source,
            payload=payload,
            ignored=f"Its {len(body):,} bytes are more than the 64 KiB that an event may have.",
        )
        return
    value, prefix = parse(body), about.get("cloud_events", "")
    headers: dict[str, str] = about.get("headers", {})
    attributes = (
        {n[len(prefix) :].lower(): v.replace("\0", "") for n, v in headers.items() if n.lower().startswith(prefix)} if prefix else None
    )
    try:
        said = cloud_event(value, attributes)
    except HeadraceError as exc:
        receive(fresh, key=key, source=source, payload=envelope(trigger.kind, source, value, id=key), ignored=str(exc)[:500])
        return
    payload = said[0] if said else envelope(trigger.kind, source, value, id=key)
    if about.get("topic"):
        payload["topic"] = about["topic"]
    if about.get("key"):
        payload["key"] = str(about["key"]).replace("\0", "")[:300]
    receive(fresh, key=said[1][:200] if said else key, source=source, payload=payload)


def _note(trigger: Trigger, state: str, message: str, new: bool) -> None:
    told = {"state": state, "message": message[:500], "at": timezone.now().isoformat()}
    if Trigger.objects.filter(pk=trigger.pk, enabled=True, deleted_at=None).update(connection=told) and new:
        changed(trigger)


def _told(exc: BaseException) -> str:
    """An error of a client as a sentence; the cause, where the client only says that it could not connect."""
    seen: BaseException | None = exc
    while seen is not None:
        if isinstance(seen, brokers.PrivateAddress):
            return str(seen)
        seen = seen.__cause__ or seen.__context__
    text = str(exc).strip() or type(exc).__name__
    return f"{text[:400].rstrip('.')}."


def main() -> None:
    brokers.guard()
    asyncio.run(Listener().run())


if __name__ == "__main__":
    main()
