"""What is computed of all vectors of a space at once: a map, clusters, an order that begins with what differs most, and near pairs.

`python -m workers.embedding.arrange FOLDER DIMENSION` reads FOLDER/vectors (rows as pgvector sends them: two 16-bit numbers, then float32,
all big-endian) and leaves there `places.jsonl` (a line a row: x, y, cluster, place in the order), `pairs.jsonl` (row, row, distance) and
`clusters.json`. It prints how far it is, a share a line.

A map of many points: t-SNE (van der Maaten and Hinton, 2008) of landmarks alone, whose cost does not grow with the data; every other
point lies among its nearest landmarks, weighted by nearness (after de Silva and Tenenbaum's landmark idea, 2004).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

LANDMARKS = 2_000
NEIGHBOURS = 5
NEAR = 0.05
"""Cosine distance up to which pairs are kept: what a person would still call nearly the same lies far below."""
MOST_PAIRS = 200_000
BLOCK = 2_000
SPREAD_FIRST = 500
"""So many items are chosen one by one, each the farthest from all before; then clusters take turns."""
Array = npt.NDArray[Any]


def read(folder: Path, dimension: int) -> npt.NDArray[np.float32]:
    raw = np.fromfile(folder / "vectors", dtype=np.uint8).reshape(-1, 4 + 4 * dimension)
    return np.ascontiguousarray(raw[:, 4:]).view(">f4").astype(np.float32)


def projected(vectors: Array, seed: int = 0) -> Array:
    """`[n, 2]`, about a hundred wide."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n = len(vectors)
    if n < 4:
        return np.stack([np.arange(n, dtype=np.float32), np.zeros(n, dtype=np.float32)], axis=1)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:LANDMARKS])
    marks = vectors[chosen]
    reduced = PCA(min(50, *marks.shape), random_state=seed).fit_transform(marks)
    perplexity = min(30.0, max(2.0, (len(marks) - 1) / 3))
    flat = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", max_iter=500, random_state=seed).fit_transform(reduced)
    if n == len(chosen):
        return np.asarray(flat)
    found = np.empty((n, 2), dtype=np.float32)
    chance = np.random.default_rng(seed + 1)
    for start in range(0, n, BLOCK):
        near = vectors[start : start + BLOCK] @ marks.T
        best = np.argpartition(-near, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        likeness = np.take_along_axis(near, best, axis=1)
        weights = np.exp((likeness - likeness.max(axis=1, keepdims=True)) * 20)
        weights /= weights.sum(axis=1, keepdims=True)
        found[start : start + BLOCK] = (flat[best] * weights[..., None]).sum(axis=1)
    found += chance.normal(0, 0.4, found.shape)  # what lies among the same landmarks would lie on one dot
    found[chosen] = flat
    return found


def clustered(vectors: Array, seed: int = 0) -> tuple[Array, Array]:
    """(cluster of each, centres), with as many clusters as separate best by their silhouette on a sample; largest first."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    n = len(vectors)
    if n < 6:
        return np.zeros(n, dtype=np.int64), vectors.mean(axis=0, keepdims=True)
    sample = vectors[np.random.default_rng(seed).permutation(n)[:LANDMARKS]]
    best: tuple[float, Any] | None = None
    for k in (2, 3, 4, 6, 8, 10, 12, 16, 20, 26, 32):
        if k > len(sample) // 3:
            break
        model = KMeans(k, n_init=1, random_state=seed).fit(sample)
        score = silhouette_score(sample, model.labels_, sample_size=min(1000, len(sample)), random_state=seed)
        if best is None or score > best[0]:
            best = (score, model)
    assert best is not None
    labels = best[1].predict(vectors)
    sizes = np.bincount(labels, minlength=len(best[1].cluster_centers_))
    order = np.argsort(-sizes, kind="stable")
    renamed = np.empty(len(order), dtype=np.int64)
    renamed[order] = np.arange(len(order))
    return renamed[labels], best[1].cluster_centers_[order]


def spread(vectors: Array, clusters: Array, seed: int = 0) -> Array:
    """The place of each in an order that begins with what differs most: k-center greedy (Gonzalez, 1985; Sener and Savarese, 2018), then
    the clusters in turn."""
    n = len(vectors)
    place = np.full(n, -1, dtype=np.int64)
    mean = vectors.mean(axis=0)
    nearest = np.full(n, np.inf)
    choice = int(np.argmax(vectors @ mean))
    for number in range(min(n, SPREAD_FIRST)):
        place[choice] = number
        nearest = np.minimum(nearest, 1 - vectors @ vectors[choice])
        nearest[choice] = -np.inf
        choice = int(np.argmax(nearest))
    rest = np.random.default_rng(seed).permutation(np.flatnonzero(place < 0))
    if len(rest):
        turn = np.empty(len(rest), dtype=np.int64)
        for cluster in np.unique(clusters[rest]):
            mine = clusters[rest] == cluster
            turn[mine] = np.arange(mine.sum())
        place[rest[np.lexsort((clusters[rest], turn))]] = np.arange(len(rest)) + (place >= 0).sum()
    return place


def near_pairs(vectors: Array, most: int = MOST_PAIRS) -> list[tuple[int, int, float]]:
    """Pairs closer than NEAR, the closest first."""
    found: list[tuple[Array, Array, Array]] = []
    for start in range(0, len(vectors), BLOCK):
        part = vectors[start : start + BLOCK]
        for other in range(start, len(vectors), BLOCK):
            likeness = part @ vectors[other : other + BLOCK].T
            rows, columns = np.nonzero(likeness >= 1 - NEAR)
            kept = columns + other > rows + start
            rows, columns = rows[kept], columns[kept]
            found.append((rows + start, columns + other, np.maximum(1 - likeness[rows, columns], 0)))
    one, two, distance = (np.concatenate(side) for side in zip(*found, strict=True)) if found else (np.zeros(0, int),) * 3
    order = np.argsort(distance, kind="stable")[:most]
    return [(int(one[n]), int(two[n]), float(distance[n])) for n in order]


def main(folder: str, dimension: str) -> None:
    where = Path(folder)
    vectors = read(where, int(dimension))
    clusters, centres = clustered(vectors)
    print(0.3, flush=True)
    flat = projected(vectors)
    print(0.6, flush=True)
    place = spread(vectors, clusters)
    print(0.7, flush=True)
    with (where / "pairs.jsonl").open("w", encoding="utf-8") as pairs:
        for pair in near_pairs(vectors):
            pairs.write(json.dumps(pair) + "\n")
    with (where / "places.jsonl").open("w", encoding="utf-8") as out:
        for row in zip(flat.astype(float).round(3).tolist(), clusters.tolist(), place.tolist(), strict=True):
            out.write(json.dumps([*row[0], row[1], row[2]]) + "\n")
    told = []
    for number, centre in enumerate(centres):
        members = np.flatnonzero(clusters == number)
        typical = members[np.argsort(-(vectors[members] @ centre))[:6]]
        told.append({"number": number, "size": len(members), "typical": typical.tolist()})
    (where / "clusters.json").write_text(json.dumps(told), encoding="utf-8")
    print(1.0, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
