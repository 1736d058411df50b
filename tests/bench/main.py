"""`manage.py bench`: each part measures our figure and its floor in the same run. Machines are noisy: compare the ratios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from infra.supervisor.layout import ROOT
from infra.supervisor.studio import Studio

PARTS = ("engine", "serving", "ingestion", "training", "labelling", "fluid", "near", "sdk", "beside")
ASKED = ("crowd",)
"""Parts that take long, measured only when they are named."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. `ratio` is ours / floor for times and floor / ours for rates: 1 is as quick as the floor, 2 takes twice as long."""

    part: str
    name: str
    ours: float
    floor: float
    unit: str
    floor_is: str

    @property
    def ratio(self) -> float:
        slower = (self.floor, self.ours) if "/s" in self.unit else (self.ours, self.floor)
        return slower[0] / slower[1] if slower[1] else float("inf")

    def line(self) -> str:
        return json.dumps({**asdict(self), "ratio": round(self.ratio, 3)})


def run(studio: Studio, parts: Iterable[str], *, as_json: bool, minutes: float | None = None) -> bool:
    """Each part in a process of its own, with the studio's environment; its rows are printed as they come. True if all succeeded.
    `minutes`: how long a part goes on that would go on for as long as one likes."""
    console = Console(stderr=as_json, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("part", "what", "ours", "floor", "unit", "ratio", "the floor is"):
        table.add_column(heading, justify="right" if heading in ("ours", "floor", "ratio") else "left")
    good = True
    for part in tuple(parts) or PARTS:
        if part not in PARTS + ASKED:
            console.print(f"There is no part “{part}”; there are {', '.join(PARTS + ASKED)}.")
            return False
        environment = {
            **os.environ,
            **studio.environment,
            "HEADRACE_BENCH_URL": studio.url,
            "HEADRACE_BENCH_PREDICTOR": studio.predictor_url,
            **({"HEADRACE_BENCH_MINUTES": str(minutes)} if minutes is not None else {}),
        }
        done = subprocess.run([sys.executable, "-m", f"tests.bench.{part}"], cwd=ROOT, env=environment, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            if not line.startswith("{"):
                continue
            if as_json:
                print(line, flush=True)
            row = json.loads(line)
            table.add_row(
                row["part"], row["name"], f"{row['ours']:,.4g}", f"{row['floor']:,.4g}", row["unit"], f"{row['ratio']:.2f}", row["floor_is"]
            )
        if done.returncode:
            good = False
            console.print(f"[red]{part} failed:[/] " + "\n".join(done.stderr.strip().splitlines()[-5:]))
    if not as_json:
        console.print(table)
    return good
