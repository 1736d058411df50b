"""What runs in a studio and with which environment: the only place that names the children's commands."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from urllib.parse import quote

from infra.supervisor import options as machine
from infra.supervisor import postgres, processes, valkey
from infra.supervisor.child import ChildSpec
from infra.supervisor.layout import ROOT, Layout
from infra.supervisor.options import Options
from infra.supervisor.web import LISTEN_FD


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the parts are; taken from the environment where an operator replaced an embedded one."""

    database: str
    broker: str
    artifacts: str
    embedded_database: bool
    embedded_broker: bool
    public: str = ""
    internal: str = ""
    predictor: str = ""
    predictor_public: str = ""
    hosts: list[str] = field(default_factory=list)


def service_addresses(layout: Layout) -> Addresses:
    database, broker = os.environ.get("DATABASE_URL", ""), os.environ.get("BROKER_URL", "")
    sockets = layout.sockets() if not (database and broker) else None
    return Addresses(
        database=database or f"postgresql://headrace@/headrace?host={quote(str(sockets))}/postgres",
        broker=broker or f"redis+socket://{sockets}/valkey.sock",
        artifacts=os.environ.get("ARTIFACT_URL") or str(layout.data / "artifacts"),
        embedded_database=not database,
        embedded_broker=not broker,
    )


def public_environment(layout: Layout, addresses: Addresses, options: Options) -> dict[str, str]:
    """What a management command or a script needs to reach the same studio. Nothing in it is secret by itself."""
    found = {
        "HEADRACE_DATA_DIR": str(layout.data),
        "DATABASE_URL": addresses.database,
        "BROKER_URL": addresses.broker,
        "ARTIFACT_URL": addresses.artifacts,
        "DJANGO_SETTINGS_MODULE": "backend.config.settings",
    }
    if addresses.internal:
        found |= {
            "PUBLIC_URL": addresses.public,
            "HEADRACE_API_URL": addresses.internal,
            "PREDICTOR_URL": addresses.predictor,
            "PREDICTOR_PUBLIC_URL": addresses.predictor_public,
            "ALLOWED_HOSTS": os.environ.get("ALLOWED_HOSTS") or ",".join(addresses.hosts),
        }
    return found


def environment(layout: Layout, addresses: Addresses, options: Options, *, secret: str, token: str) -> dict[str, str]:
    """What every child gets."""
    workers = options.workers_cpu or machine.default_workers()
    threads = str(max(1, machine.cores() // workers))
    found = {
        **os.environ,
        **public_environment(layout, addresses, options),
        "SECRET_KEY": secret,
        processes.MARK: token,
        "TMPDIR": str(layout.temporary()),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads),
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]),  # noqa: PTH120 - a resolved link would leave the environment
    }
    if options.gpu == "none":
        found["CUDA_VISIBLE_DEVICES"] = found["HEADRACE_DEVICES"] = ""
    return found


def services(layout: Layout, addresses: Addresses, base: dict[str, str]) -> list[ChildSpec]:
    """The embedded parts, as far as nothing replaces them."""
    found = []
    if addresses.embedded_database:
        # PostgreSQL gets nothing of our environment but the language: a server needs no secrets of its clients.
        plain = {k: base[k] for k in ("PATH", "TZ") if k in base} | {"LC_ALL": "C", processes.MARK: base[processes.MARK]}
        found.append(
            ChildSpec(
                name="postgres",
                command=postgres.command(layout.postgres(), layout.sockets() / "postgres"),
                environment=plain,
                cwd="/",
                stop=signal.SIGINT,
                orphaned=signal.SIGINT,
                user=postgres.demotion(),
            )
        )
    if addresses.embedded_broker:
        found.append(
            ChildSpec(name="valkey", command=valkey.command(layout.valkey, layout.sockets() / "valkey.sock"), environment=base, cwd="/")
        )
    return found


def web(base: dict[str, str], fd: int) -> ChildSpec:
    # No OpenMP pool where nothing computes. Two malloc arenas, or every thread keeps a heap of its own and memory only grows;
    # Arrow in the same heap, which gives back what it does not use (its own pool keeps it).
    sparing = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return _python("web", ["-m", "infra.supervisor.web"], base | {LISTEN_FD: str(fd), **sparing}, keep_open=(fd,))


def workers(options: Options, base: dict[str, str], predictor: int) -> list[ChildSpec]:
    """Everything beside the web process; `predictor` is the socket that the predictor answers on."""
    count = options.workers_cpu or machine.default_workers()
    devices = machine.gpus() if options.gpu == "auto" else 0
    # Steps that like a GPU run on the CPU where there is none: otherwise they would wait for ever.
    queues = "io,cpu" if devices else "io,cpu,gpu"
    found = [
        _celery("platform", "backend.config.celery", "platform", 2 if machine.cores() > 1 else 1, base),
        _celery("steps", "workers.celery", queues, count, base | {"HEADRACE_QUEUES": queues, "HEADRACE_GROUP": "steps"}),
        _python("reaper", ["-m", "workers.engine.reaper"], base | {"OMP_NUM_THREADS": "1"}),
        # The socket is the supervisor's, so that connections wait while the predictor starts again instead of being refused.
        _python("predictor", ["-m", "workers.serving", "--fd", str(predictor)], base, keep_open=(predictor,)),
    ]
    if devices:
        # A worker of its own, one slot for each share of a device: who holds which is the ledger's to say.
        slots = devices * machine.share()
        found.append(_celery("gpu-steps", "workers.celery", "gpu", slots, base | {"HEADRACE_QUEUES": "gpu", "HEADRACE_GROUP": "gpu-steps"}))
    return found


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A host that works for a studio elsewhere: what joining gave, and what was chosen for this machine."""

    studio: str
    token: str
    name: str
    labels: dict[str, str]
    queues: tuple[str, ...]
    processes: int
    database: str = ""
    broker: str = ""
    artifacts: str = ""


def joined(layout: Layout, host: Joined) -> list[ChildSpec]:
    """What runs on such a host: a tunnel to the parts that only listen on the studio's machine, and workers as on any other."""
    sockets = layout.sockets()
    threads = str(max(1, machine.cores() // host.processes))
    base = {
        **{k: v for k, v in os.environ.items() if k not in ("SECRET_KEY", "DJANGO_SETTINGS_MODULE")},
        "HEADRACE_DATA_DIR": str(layout.data),
        "HEADRACE_API_URL": host.studio,
        "HEADRACE_HOST_TOKEN": host.token,
        "HEADRACE_HOST_NAME": host.name,
        "HEADRACE_LABELS": ",".join(f"{k}={v}" for k, v in host.labels.items()),
        "DATABASE_URL": host.database or f"postgresql://headrace_worker@/headrace?host={quote(str(sockets))}",
        "BROKER_URL": host.broker or f"redis+socket://{sockets}/valkey.sock",
        "ARTIFACT_URL": host.artifacts or f"headrace+{host.studio}/hosts/v1/blobs",
        "TMPDIR": str(layout.temporary()),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads),
    }
    found = []
    if not (host.database and host.broker):
        found.append(_python("tunnel", ["-m", "workers.engine.tunnel", str(sockets)], base))
    devices = machine.gpus() if "gpu" in host.queues else 0
    queues = ",".join(q for q in host.queues if q != "gpu" or not devices)
    if queues:
        found.append(
            _celery("steps", "workers.celery", queues, host.processes, base | {"HEADRACE_QUEUES": queues, "HEADRACE_GROUP": "steps"})
        )
    if devices:
        slots = devices * machine.share()
        found.append(_celery("gpu-steps", "workers.celery", "gpu", slots, base | {"HEADRACE_QUEUES": "gpu", "HEADRACE_GROUP": "gpu-steps"}))
    return found


def _celery(name: str, app: str, queues: str, count: int, base: dict[str, str]) -> ChildSpec:
    arguments = [
        "-m",
        "workers.engine.begin" if "HEADRACE_GROUP" in base else "celery",
        "-A",
        app,
        "worker",
        "-Q",
        queues,
        "-c",
        str(count),
        "-n",
        f"{name}@%h",
        "-l",
        "info",
        "--without-gossip",
        "--without-mingle",
    ]
    # SIGQUIT: a worker whose supervisor was killed drops its work at once; the ledger gives it to the next one.
    return _python(name, arguments, base, orphaned=signal.SIGQUIT)


def _python(
    name: str, arguments: list[str], base: dict[str, str], *, orphaned: int = signal.SIGTERM, keep_open: tuple[int, ...] = ()
) -> ChildSpec:
    return ChildSpec(
        name=name, command=[sys.executable, *arguments], environment=base, cwd=str(ROOT), orphaned=orphaned, keep_open=keep_open
    )
