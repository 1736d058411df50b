"""A space computed in the worker: embedded batch by batch (what is done stays), then arranged, then indexed.

Contents are known by their digest, so that a new version, or a worker that starts again, computes only what is not there.
"""

from __future__ import annotations

import json
import logging
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from backend.core.errors import HeadraceError
from backend.datasets.actions.announce import send
from backend.datasets.locks import only_one
from backend.datasets.models import DatasetVersion
from backend.labeling.actions.schemas import newest_frozen
from backend.similarity import processes
from backend.similarity.actions import ordering
from backend.similarity.actions.announce import ATTEMPTS, BROKEN, COMPUTE, GAVE_UP, space_changed
from backend.similarity.actions.contents import Content, contents
from backend.similarity.actions.spaces import index_name
from backend.similarity.errors import CannotCompute
from backend.similarity.models import Pair, Space, Vector
from backend.similarity.processes import Calculator, Stopped

log = logging.getLogger(__name__)
BATCH = 200
SAMPLE = 4_000
"""Contents that an embedder learns from, drawn at random."""
INDEX_FROM = 5_000
"""Below so many vectors looking at all of them is as quick as an index, and exact."""
WIDEST_INDEX = 2_000
"""Most dimensions that pgvector indexes."""


def compute(space_id: UUID) -> None:
    """Safe to call again and at once from several workers."""
    with only_one(f"space:{space_id}") as mine:
        rows = Space.objects.filter(pk=space_id, status__in=["queued", "running"])
        space = rows.select_related("dataset__project").first()
        if not mine or space is None:
            return
        rows.update(status="running", attempts=F("attempts") + 1, done=0, fresh=0, refused=0, announced_at=timezone.now())
        try:
            if space.attempts >= ATTEMPTS:
                raise CannotCompute(why=GAVE_UP)
            _compute(space)
        except Stopped:
            pass
        except OperationalError:
            raise  # the database is away: it waits
        except HeadraceError as error:
            rows.update(status="failed", message=f"{error} {error.hint}".strip()[:500])
        except Exception:
            log.exception("space %s could not be computed", space_id)
            rows.update(status="failed", message=BROKEN)
        space_changed(space)
    if Space.objects.filter(pk=space_id, status="queued").exists():  # asked for anew meanwhile; its message came to nothing
        send(COMPUTE, space_id)


def _compute(space: Space) -> None:
    version = newest_frozen(space.dataset)
    _set(space, stage="embed", total=version.item_count)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.similarity_seen")  # of an attempt that failed on the same connection
        cursor.execute("CREATE TEMP TABLE similarity_seen (digest text)")
    with processes.calculator(space) as calculator:
        if not space.learned:
            _learn(space, version, calculator)
        for batch in _batches(contents(space, version)):
            _embed(space, calculator, version.number, batch)
    _show(space, version.number)
    if not space.dimension:
        raise CannotCompute(why="None of the items could be embedded.")
    _set(space, stage="arrange")
    _arrange(space)
    _set(space, stage="index")
    _index(space)
    with transaction.atomic():
        _set(space, status="ready", message="", version=version.number, computed_at=timezone.now())
        ordering.space_ready(space)


def _set(space: Space, **fields: Any) -> None:
    """Raises Stopped when it was cancelled or asked for anew meanwhile."""
    if not Space.objects.filter(pk=space.pk, status="running").update(**fields, announced_at=timezone.now()):
        raise Stopped
    for name, value in fields.items():
        setattr(space, name, value)


def _learn(space: Space, version: DatasetVersion, calculator: Calculator) -> None:
    chance, sample = random.Random(0), []  # noqa: S311 - a sample is no secret
    for n, content in enumerate(contents(space, version)):
        if n < SAMPLE:
            sample.append(content.given)
        elif (place := chance.randrange(n + 1)) < SAMPLE:
            sample[place] = content.given
    found = calculator.ask(fit=sample)
    _set(space, learned=found["state"], takes_text=found["told"].get("takes_text", space.takes_text))


def _batches(found: Iterator[Content]) -> Iterator[list[Content]]:
    held: dict[str, Content] = {}
    for content in found:
        held.setdefault(content.digest, content)
        if len(held) == BATCH:
            yield list(held.values())
            held.clear()
    if held:
        yield list(held.values())


def _embed(space: Space, calculator: Calculator, version: int, batch: list[Content]) -> None:
    there = set(Vector.objects.filter(space=space, digest__in=[c.digest for c in batch]).values_list("digest", flat=True))
    new = [c for c in batch if c.digest not in there]
    vectors = calculator.ask(embed=[c.given for c in new])["vectors"] if new else []
    kept = [(c, v) for c, v in zip(new, vectors, strict=True) if v is not None]
    if kept and not space.dimension:
        _set(space, dimension=kept[0][1].count(",") + 1)
    with transaction.atomic():
        _set(space)
        with connection.cursor() as cursor:
            with cursor.copy("COPY similarity_vector (space_id, digest, key, shown, present, vector) FROM STDIN") as copy:
                for content, vector in kept:
                    copy.write_row([space.pk, content.digest, content.key, json.dumps(content.shown), True, vector])
            cursor.execute("INSERT INTO similarity_seen SELECT unnest(%s::text[])", [[c.digest for c in batch]])
        Space.objects.filter(pk=space.pk).update(
            done=F("done") + len(batch), fresh=F("fresh") + len(kept), refused=F("refused") + len(new) - len(kept)
        )


def _show(space: Space, version: int) -> None:
    """What the version holds is present, and nothing else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE similarity_vector v SET present = NOT v.present WHERE v.space_id = %(space)s AND v.present <>"
            " EXISTS (SELECT 1 FROM similarity_seen s WHERE s.digest = v.digest)",
            {"space": space.pk},
        )
        cursor.execute("DROP TABLE similarity_seen")


def _arrange(space: Space) -> None:
    """Map, clusters, order and near pairs of all that is present."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        ids = processes.write_vectors(space, where / "vectors")
        if not ids:
            return

        def heard(share: float) -> bool:
            return bool(Space.objects.filter(pk=space.pk, status="running").update(announced_at=timezone.now()))

        processes.run("arrange", folder, str(space.dimension), heard=heard)
        told = json.loads((where / "clusters.json").read_text(encoding="utf-8"))
        clusters = [{**one, "typical": [ids[n] for n in one["typical"]]} for one in told]
        with transaction.atomic(), connection.cursor() as cursor:
            _set(space, clusters=clusters)
            cursor.execute("CREATE TEMP TABLE placed (id bigint, x float8, y float8, cluster int, place bigint) ON COMMIT DROP")
            with cursor.copy("COPY placed FROM STDIN") as copy, (where / "places.jsonl").open(encoding="utf-8") as lines:
                for id_, line in zip(ids, lines, strict=True):
                    copy.write_row([id_, *json.loads(line)])
            cursor.execute("ANALYZE placed")
            cursor.execute(
                "UPDATE similarity_vector v SET x = p.x, y = p.y, cluster = p.cluster, place = p.place FROM placed p WHERE v.id = p.id"
            )
            cursor.execute("DROP TABLE placed")
            Pair.objects.filter(space=space)._raw_delete("default")
            pairs = "COPY similarity_pair (space_id, one_id, other_id, distance) FROM STDIN"
            with cursor.copy(pairs) as copy, (where / "pairs.jsonl").open(encoding="utf-8") as lines:
                for line in lines:
                    one, other, distance = json.loads(line)
                    copy.write_row([space.pk, ids[one], ids[other], distance])


def _index(space: Space) -> None:
    """HNSW of this space alone: a partial index over the vectors as what they are here (decision 24)."""
    count = Vector.objects.filter(space=space, present=True).count()
    if space.indexed or count < INDEX_FROM or space.dimension > WIDEST_INDEX:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {index_name(space)}")  # of a worker that was killed while it was made
        cursor.execute("SET maintenance_work_mem = '256MB'")  # in which the graph of a hundred thousand fits
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {index_name(space)} ON similarity_vector"
            f" USING hnsw ((vector::vector({space.dimension})) vector_cosine_ops) WHERE space_id = '{space.pk}'"
        )
        cursor.execute("RESET maintenance_work_mem")
    _set(space, indexed=True)
