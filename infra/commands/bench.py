"""`bench`: measures the engine, serving and ingestion on a studio of its own. What it measures is in `tests/bench/`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click


@click.command()
@click.argument("parts", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=None,
    help="Measure on this data directory (default: a new one, removed afterwards).",
)
@click.option("--minutes", type=click.FloatRange(0.1, 600), default=None, help="How long the crowd labels (default: 10).")
def bench(parts: tuple[str, ...], as_json: bool, data_dir: Path | None, minutes: float | None) -> None:
    """Measure the studio; PARTS choose what of it (`crowd` only where it is named). Each row has its floor, measured in the same run."""
    from infra.supervisor import studio
    from tests.bench.main import run

    with tempfile.TemporaryDirectory(prefix="hr-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another account
        with studio.start(data_dir or Path(folder) / "data", "--port", "0") as running:
            good = run(running, parts, as_json=as_json, minutes=minutes)
    raise SystemExit(0 if good else 1)
