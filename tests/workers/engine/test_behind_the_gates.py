"""A worker of a joined host says nothing that the studio's gates refuse: to the database, and to the broker from its start to its end.

`tests/infra/test_hosts.py` joins a real host over a network, which takes too long for every day; what a host may say is looked at here."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.runs.hosts.gate import BrokerGate, DatabaseGate, Refused
from tests.workers.engine.studio import Studio, step, studio, until


class Gates:
    """Sockets in the place of a studio's own, each connection through its gate."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.refused: list[str] = []
        folder.mkdir()

    def open(self, name: str, target: Path, gate: Callable[[], BrokerGate | DatabaseGate]) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / name))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener, target, gate), daemon=True).start()

    def _accept(self, listener: socket.socket, target: Path, gate: Callable[[], BrokerGate | DatabaseGate]) -> None:
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(target))
            threading.Thread(target=self._pass, args=(client, server, gate().feed), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, bytes), daemon=True).start()

    def _pass(self, source: socket.socket, to: socket.socket, look: Callable[[bytes], bytes]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                try:
                    to.sendall(look(data))
                except Refused as exc:
                    self.refused.append(str(exc))
                    break
        for end in (source, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def lab() -> Iterator[Studio]:
    with studio() as made:
        yield made


def test_a_worker_passes_the_gates_of_a_joined_host(lab: Studio) -> None:
    ((database,),) = lab.query("SELECT current_database()")
    gates = Gates(lab.sockets / "gates")
    gates.open(".s.PGSQL.5432", lab.sockets / ".s.PGSQL.5432", lambda: DatabaseGate(database))
    gates.open("vk.sock", lab.sockets / "vk.sock", BrokerGate)
    own = lab.env
    lab.env = {**own, **{name: own[name].replace(str(lab.sockets), str(gates.folder)) for name in ("BROKER_URL", "DATABASE_URL")}}
    worker = lab.worker(2)
    lab.env = own
    try:
        beat = "SELECT count(*) FROM runs_host WHERE beat_at > now() - interval '5 s'"
        until(lambda: lab.query(beat) == [(1,)] or gates.refused, 30)
        chain = {"s0": step("nothing"), **{f"s{n}": step("nothing", f"s{n - 1}") for n in range(1, 40)}}
        runs = [lab.start(steps)["id"] for steps in (chain, {"a": step("speak")}, {"a": step("fail", folder=str(lab.folder))})]
        assert [lab.wait(run)["status"] for run in runs] == ["succeeded", "succeeded", "failed"]
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    finally:
        assert gates.refused == [], "a joined host is cut off for this"
