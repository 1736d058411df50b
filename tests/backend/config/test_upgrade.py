"""Data directories of older releases go on: their tables become those of a new studio, and what was in them stays."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from infra.supervisor.layout import ROOT
from tests import tables

RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql.gz"))
"""What `pg_dump --inserts` said of a studio after a demo, or with a furnished project (both without items, events and metric points)."""
KEPT = ("core_user", "core_project", "core_auditentry", "runs_run", "runs_steprun", "artifacts_artifact", "registry_modelversion",
        "deployments_deployment", "datasets_datasetversion", "pipelines_pipelineversion", "labeling_annotation")  # fmt: skip
SHAPE = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "indexes": "SELECT tablename, regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON') FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
    "functions": "SELECT oid::regprocedure::text, pg_get_function_result(oid), md5(prosrc) FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace",
    "triggers": "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
}


@pytest.mark.parametrize(
    "release",
    [pytest.param(path, id=path.name.partition(".")[0], marks=[pytest.mark.slow] if path != RELEASES[0] else []) for path in RELEASES],
)
def test_an_older_data_directory_is_brought_over(release: Path) -> None:
    here = os.environ["DATABASE_URL"]
    name = f"old_{uuid.uuid4().hex[:8]}"
    url = here.replace("/postgres?", f"/{name}?")
    with psycopg.connect(here, autocommit=True) as services:
        services.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        services.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name + "_new"), sql.Identifier(tables.STUDIOS)))
        try:
            with psycopg.connect(url) as old:
                old.execute(gzip.decompress(release.read_bytes()))
            before = counts(url)
            assert before["runs_steprun"], "there is something to keep"
            done = subprocess.run(
                [sys.executable, "-m", "django", "migrate", "-v0"], env={**os.environ, "DATABASE_URL": url}, cwd=ROOT, capture_output=True,
                text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-2000:]
            after = counts(url)
            assert {t: after[t] for t in before} == before
            now, new = shape(url), shape(here.replace("/postgres?", f"/{name}_new?"))
            for what in SHAPE:
                assert now[what] - new[what] == set(), f"{what} that a new studio does not have"
                assert new[what] - now[what] == set(), f"{what} that are missing"
        finally:
            for one in (name, name + "_new"):
                services.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(one)))


def counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        there = [t for t in KEPT if connection.execute("SELECT to_regclass(%s)", [f"public.{t}"]).fetchone() != (None,)]
        return {t: _one(connection, sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(t))) for t in there}


def _one(connection: psycopg.Connection[Any], query: sql.Composed) -> int:
    (row,) = connection.execute(query).fetchall()
    return int(row[0])


def shape(url: str) -> dict[str, set[tuple[str, ...]]]:
    with psycopg.connect(url) as connection:
        return {what: {tuple(map(plain, row)) for row in connection.execute(query)} for what, query in SHAPE.items()}


def plain(value: object) -> str:
    """Without the casts and parentheses that an expression gains on its way through a dump."""
    return re.sub(r"::(character varying|\w+)(\[\])?|[()\s]", "", str(value))
