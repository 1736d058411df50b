"""The supervisor: looks the data directory over, starts the parts in order, keeps them running, ends them all.

Order of a start: lock, orphans, database and broker, migrations and static files, web, then (once the web process answers, so
that nothing competes with it for the processor) the workers. Order of a stop: everything that uses the database and the
broker at once, then these two.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from infra.supervisor import network, plan, postgres, prepare, processes, state, waiting
from infra.supervisor.child import Child, ChildSpec
from infra.supervisor.errors import CannotStart
from infra.supervisor.layout import ROOT, Layout
from infra.supervisor.log import Log
from infra.supervisor.options import Options

LEAST_FREE = int(os.environ.get("HEADRACE_LEAST_FREE_BYTES", str(256 * 1024**2)))
"""Free disk space below which a studio does not start: PostgreSQL panics when its log cannot grow, which is worse than not starting."""
WORKERS_END, SERVICES_END = 2.3, 1.6
"""Seconds that users of the services, and then the services, may take to end by themselves (5 together with what remains)."""
SWEEP = 1.0


class Supervisor:
    def __init__(self, layout: Layout, options: Options, *, say: Callable[[str], None] = print) -> None:
        self.layout, self.options, self.say = layout, options, say
        self.children: dict[str, Child] = {}
        self.token = secrets.token_hex(12)
        self.status = "starting"
        self.message = ""
        self.addresses: plan.Addresses | None = None
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._log: Log
        self._stop = asyncio.Event()
        self._listener: socket.socket | None = None
        self._predictor: socket.socket | None = None
        self._written = ""
        self._base: dict[str, str] = {}

    # -- life ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Start, stay until told to stop, stop. Raises CannotStart with one sentence; leaves no process behind either way."""
        layout = self.layout
        with _sentences(layout):
            layout.make()
            held = state.lock(layout)
            self._room()
            found = state.end_orphans(layout)
            layout.tidy()
            self._log = Log(layout.log, terminal=self.options.logs)
            processes.adopt_orphans()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGCHLD, self._poll)
        self._note("started")
        if found:
            self.say(f"Ended what a killed supervisor left running: {', '.join(found)}.")
            self._note(f"ended orphans: {', '.join(found)}")
        watching = None
        try:
            with _sentences(layout):
                starting = asyncio.create_task(self._start())
                stopping = asyncio.create_task(self._stop.wait())
                await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not starting.done():
                    starting.cancel()
                    await asyncio.wait({starting})
                if not starting.cancelled():
                    starting.result()
                watching = asyncio.create_task(self._watch())
                await stopping
        finally:
            if watching is not None:
                watching.cancel()
            await self._end()
            layout.tidy()
            state.write(layout, {})
            layout.state.unlink(missing_ok=True)
            self._note("stopped")
            self._log.close()
            os.close(held)

    async def _start(self) -> None:
        layout, options = self.layout, self.options
        listener = None
        if not options.services_only:
            listener = self._listener = network.listen(options.host, options.port)
        self.addresses = addresses = self._addresses(listener)
        secret = os.environ.get("SECRET_KEY") or layout.secret_key()
        base = self._base = plan.environment(layout, addresses, options, secret=secret, token=self.token)
        if addresses.embedded_database:
            database = layout.postgres()
            postgres.look_over(database)
            state.clear_stale_pid_file(database)
            if not (database / "PG_VERSION").exists():
                self.say("Making the database …")
                await asyncio.to_thread(postgres.initialise, database)
            if database != layout.data / "postgres":
                self.say(f"The database lies in {database}, because the account of PostgreSQL cannot reach {layout.data}.")
        self._say_state()
        for spec in plan.services(layout, addresses, base):
            self._add(spec)
        await asyncio.gather(
            waiting.database(addresses, layout, self.children.get("postgres")),
            waiting.broker(addresses, layout, self.children.get("valkey")),
        )
        if options.services_only:
            self._ready()
            return
        await self._prepare(addresses, base)
        assert listener is not None
        self._add(plan.web(base, listener.fileno()))
        await waiting.web(listener, layout, self.children["web"])
        assert self._predictor is not None
        for spec in plan.workers(options, base, self._predictor.fileno()):
            self._add(spec)
        self._ready()

    def _addresses(self, listener: socket.socket | None) -> plan.Addresses:
        found = plan.service_addresses(self.layout)
        if listener is None:
            return found
        host, port = self.options.host, int(listener.getsockname()[1])
        near = network.reachable_host(host)
        self._predictor = network.own(self.layout.ports, "predictor", host)
        predictor = int(self._predictor.getsockname()[1])
        public = os.environ.get("PUBLIC_URL") or f"http://{near}:{port}"
        return plan.Addresses(
            **{name: getattr(found, name) for name in ("database", "broker", "artifacts", "embedded_database", "embedded_broker")},
            public=public,
            internal=f"http://{near}:{port}",
            predictor=f"http://{near}:{predictor}",
            predictor_public=os.environ.get("PREDICTOR_PUBLIC_URL") or f"http://{near}:{predictor}",
            hosts=[*network.names(host), *filter(None, [urlsplit(public).hostname])],
        )

    async def _prepare(self, addresses: plan.Addresses, base: dict[str, str]) -> None:
        """Migrate and collect static files where something changed since the last time."""
        wanted = await asyncio.to_thread(prepare.needed, self.layout, addresses)
        if not wanted:
            return
        self.say("Preparing the database and the pages …" if "migrate" in wanted else "Preparing the pages …")
        child = await self._once("prepare", ["-m", "infra.supervisor.prepare", *wanted], base)
        if child.last_exit != "exit status 0":
            said = [line for line in child.said if line.strip()]
            raise CannotStart(
                f"The {' and '.join(wanted)} step failed ({child.last_exit}): {said[-1] if said else 'no words'}. "
                f"All of it is in {self.layout.log}."
            )
        await asyncio.to_thread(prepare.remember, self.layout, addresses, wanted)

    async def _once(self, name: str, arguments: list[str], base: dict[str, str], *, silent: bool = False) -> Child:
        """Run a program of ours to its end."""
        spec = ChildSpec(name=name, command=[sys.executable, *arguments], environment=base, cwd=str(ROOT), silent=silent)
        child = self.children[name] = Child(spec, self._log, self._say_state)
        child.start()
        child.give_up()  # not again
        try:
            await child.ended()
        finally:
            if child.pid:
                processes.end_group(child.pid)
            del self.children[name]
        await asyncio.sleep(0.02)  # its last words arrive with the loop's next turn
        return child

    async def owner_link(self) -> tuple[str, str]:
        """Who owns the first project and a link that signs in once; empty words where nobody has an account yet."""
        child = await self._once("owner-link", ["-m", "infra.supervisor.owner_link"], self._base, silent=True)
        said = [line for line in child.said if line.strip()]
        return (said[-2], said[-1]) if child.last_exit == "exit status 0" and len(said) >= 2 else ("", "")

    def _add(self, spec: ChildSpec) -> Child:
        child = self.children[spec.name] = Child(spec, self._log, self._say_state)
        child.start()
        return child

    def _ready(self) -> None:
        self.status = "ready"
        self._note("ready")
        self._say_state()

    # -- watching ----------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        """A child ended: one of ours, or a grandchild that became ours when its parent died."""
        for child in list(self.children.values()):
            child.poll()

    async def _watch(self) -> None:
        """End processes whose parent died (their step will be given to another worker), and tell about a filling disk."""
        full, tick = False, 0
        while True:
            await asyncio.sleep(SWEEP)
            self._poll()
            self._end_strays()
            tick += 1
            if tick % 10 == 0:
                low = shutil.disk_usage(self.layout.data).free < LEAST_FREE
                if low and not full:
                    self.message = f"Less than {LEAST_FREE // 1024**2} MB are free on the disk of {self.layout.data}: "
                    self.message += "free some space, or runs and uploads will fail."
                    self.say(self.message)
                elif not low:
                    self.message = ""
                full = low
                self._say_state()

    def _end_strays(self) -> None:
        ours = {child.process.pid for child in self.children.values() if child.process}
        if sys.platform != "linux":
            return
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process().children():
                if process.pid in ours:
                    continue
                with contextlib.suppress(psutil.Error, OSError):
                    if process.status() != psutil.STATUS_ZOMBIE:
                        self._note(f"ended process {process.pid}, whose parent died")
                        process.kill()
                    os.waitpid(process.pid, os.WNOHANG)

    # -- the end -----------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        self.status = "stopping"
        self._say_state()
        for listener in (self._listener, self._predictor):
            if listener is not None:
                listener.close()
        services = [c for n, c in self.children.items() if n in ("postgres", "valkey")]
        others = [c for n, c in self.children.items() if n not in ("postgres", "valkey")]
        for child in self.children.values():
            child.give_up()
        await asyncio.gather(*(child.stop(WORKERS_END) for child in others))
        self._end_strays()
        await asyncio.gather(*(child.stop(SERVICES_END) for child in services))
        for pid in processes.marked(self.token):
            processes.end(pid)
        self._end_strays()

    # -- words -------------------------------------------------------------------------------------------------------

    def _note(self, text: str) -> None:
        self._log.write("headrace", text)

    def _say_state(self) -> None:
        addresses = self.addresses
        found: dict[str, Any] = {
            "pid": os.getpid(),
            "mark": processes.start_mark(os.getpid()),
            "token": self.token,
            "status": self.status,
            "message": self.message,
            "since": self._since,
            "data_dir": str(self.layout.data),
            "log": str(self.layout.log),
            "url": addresses.public if addresses else "",
            "predictor_url": addresses.predictor_public if addresses else "",
            "children": {name: child.state() for name, child in self.children.items()},
            "environment": plan.public_environment(self.layout, addresses, self.options) if addresses else {},
        }
        text = repr(found)
        if text == self._written:
            return
        try:
            state.write(self.layout, found)
            self._written = text
        except OSError as exc:  # a full disk: the studio goes on, the file is written at the next change
            self._note(f"cannot write the state file: {exc}")

    def _room(self) -> None:
        free = shutil.disk_usage(self.layout.data).free
        if free < LEAST_FREE:
            raise CannotStart(
                f"Only {free // 1024**2} MB are free on the disk of {self.layout.data}, "
                f"and a studio needs {LEAST_FREE // 1024**2} MB to start: free some space, or choose another --data-dir."
            )


@contextlib.contextmanager
def _sentences(layout: Layout) -> Any:
    """Turn what the operating system says about files into one sentence."""
    try:
        yield
    except OSError as exc:
        if exc.errno == errno.ENOSPC:
            raise CannotStart(f"The disk of {layout.data} is full: free some space, or choose another --data-dir.") from exc
        if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise CannotStart(
                f"{exc.filename or layout.data} may not be written by this account ({exc.strerror}): "
                "run as its owner, or choose another --data-dir."
            ) from exc
        raise CannotStart(f"{exc.filename or layout.data}: {exc.strerror or exc}.") from exc


def run(
    data_dir: Path | str | None,
    options: Options,
    *,
    ready: Callable[[Supervisor], Awaitable[None]] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Run a studio until it is told to stop; `ready` is called once when it answers. The caller prints CannotStart."""

    async def both() -> None:
        supervisor = Supervisor(Layout.of(data_dir), options, say=say)
        running = asyncio.create_task(supervisor.run())
        while not running.done() and supervisor.status == "starting":
            await asyncio.wait({running}, timeout=0.05)
        telling = asyncio.ensure_future(ready(supervisor)) if ready is not None and supervisor.status == "ready" else None
        try:
            await running
        finally:
            if telling is not None:
                telling.cancel()

    asyncio.run(both())
