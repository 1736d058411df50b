"""Training on labelled spans: read them, cut the texts into pieces, train, publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from workers.sdk import context, spans, tags
from workers.sdk.errors import StepError
from workers.sdk.kinds import Metrics, Model, Table
from workers.training import loop
from workers.training import spans as truth
from workers.training.model_folder import write_model
from workers.training.tagger_network import REACH, Published, Tagger, forget, to_onnx

PARITY_PIECES = 24
MOST_BUCKETS = 60_000
"""Those in most places; more would make models large and hardly better."""
MOST_TOKENS = 10_000_000
"""Half a gigabyte of numbers."""
PIECE = 128
NOT_HERE = -100
"""The target of tokens that a piece shows and does not answer for."""
MANY_LABELS = 40
WATCHED = 60
"""Texts from which on a tenth of them is watched."""
STEPS = 700
"""At the most, where nobody says how many epochs, as long as these are ten."""


def train(
    train: Table,
    validation: Table | None,
    *,
    text_column: str,
    spans_column: str,
    offsets: str,
    overlaps: str,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    width: int,
    dropout: float,
    patience: int,
    name: str,
    seed: int,
) -> tuple[Model, Metrics]:
    """The component's body; its parameters are explained there."""
    step = context.current()
    torch.set_num_threads(step.threads)

    # 1. What is to be found.
    said = truth.labelled(train, text_column, spans_column, offsets)
    if said.unlabelled:
        step.log(f"{said.unlabelled:,} rows that nobody has labelled are left out.")
    counts = Counter(span.label for found in said.spans for span in found)
    if not counts:
        raise StepError(
            f"There are {len(said.texts):,} labelled texts and no span in any of them.",
            hint="Label some spans first: a tagger learns from examples of what it shall find.",
            field="spans_column",
        )
    labels = sorted(counts)
    apart = overlaps == "a layer for each label" or (overlaps == "automatic" and truth.overlapping(said.spans))

    # 2. The texts as numbers.
    step.progress(0.02, "Reading the texts")
    places = [spans.tokens(text) for text in said.texts]
    total = sum(map(len, places))
    if total > MOST_TOKENS:
        raise StepError(
            f"The texts have {total:,} words and signs; at most {MOST_TOKENS:,} can be learned from.", hint="Use fewer of them."
        )
    raw = [spans.features(text, one) for text, one in zip(said.texts, places, strict=True)]
    fitted = truth.fit(said.spans, places, labels, apart=apart)
    _tell(said, fitted, counts, total)
    reader = _reader(raw)
    learn, held = _parts(said.spans, seed) if validation is None else (np.arange(len(said.texts)), np.arange(0))
    if validation is None and not len(held):
        step.log(f"Fewer than {WATCHED:,} texts: all of them are learned from, and none is watched to stop early.")
    read = [reader(text) for text in said.texts]
    training = _examples(read, fitted, learn)
    watched = _examples(read, fitted, held) if validation is None else _watched(validation, said, labels, apart, offsets, reader)

    # 3. Train.
    torch.manual_seed(seed)
    network = Tagger(reader.rows, [len(layer) for layer in fitted.layers], width, dropout)
    batch_size, epochs = _pace(len(training), batch_size, epochs)
    plan = loop.Plan(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay, patience=patience, seed=seed
    )
    outcome = loop.fit(
        network,
        training,
        watched if watched is not None and len(watched) else None,
        plan,
        loss_of=_loss(network),
        quality_of=_quality(network),
        augment=forget,
        share=(0.05, 0.9),
    )

    # 4. Publish.
    step.progress(0.92, "Publishing as ONNX")
    onnx = to_onnx(network)
    step.check_cancelled()
    sample = training.x[np.linspace(0, len(training) - 1, min(PARITY_PIECES, len(training))).astype(int)].astype(np.int64)
    odd = np.random.default_rng(seed).integers(1, reader.rows, (2, *sample.shape[1:]))
    sample = np.concatenate([sample, odd])
    with torch.inference_mode():
        original = Published(network)(torch.from_numpy(sample)).numpy()
    measured = {f"validation_{k}": v for k, v in outcome.metrics.items()}
    examples = sorted((text for text, found in zip(said.texts, said.spans, strict=True) if found), key=len)
    made = write_model(
        onnx,
        name=name,
        task="spans",
        framework="torch",
        target=said.spans_column,
        labels=labels,
        positive="",
        input_={
            "kind": "row",
            "onnx_input": "tokens",
            "reach": REACH,
            "columns": [
                {
                    "name": said.text_column,
                    "type": "text",
                    "required": True,
                    "example": examples[len(examples) // 4][: truth.EXAMPLE],
                    "tokens": spans.FORMAT,
                    "most_characters": spans.MOST_CHARACTERS,
                }
            ],
        },
        output={"kind": "spans", "labels": labels, "layers": fitted.layers, "output": "chances"},
        training={
            "parameters": {
                "overlaps": "a layer for each label" if apart else "one span a place",
                "epochs": outcome.epochs,
                "best_epoch": outcome.best,
                "batch_size": batch_size,
                "learning_rate": learning_rate,
                "weight_decay": weight_decay,
                "width": width,
                "dropout": dropout,
                "patience": patience,
                "seed": seed,
            },
            "rows": len(learn),
            "dataset_versions": list(train.metadata.get("dataset_versions", [])),
            "method": "convolutions over words",
            "spans": dict(counts),
        },
        metrics=measured,
        parity_inputs={"tokens": sample},
        parity_answers=original.reshape(len(original), -1),
        card={
            "method": "a network of convolutions over words, their shapes and endings",
            "data": "- Spans: " + ", ".join(f"{label} {counts[label]:,}" for label in labels[:MANY_LABELS]) + ".",
            "limits": "- It finds what looks like what was labelled; a name written unlike all of those is missed.\n"
            + ("- Spans of different labels may overlap." if apart else "- Spans never overlap."),
        },
        tokens=reader,
    )
    parity = made.metadata["parity"]
    step.log(f"ONNX answers within {parity['largest_difference']:.1e} of the original on {parity['rows']} pieces of text.")
    step.progress(1.0, "Done")
    told = {"task": "spans", "values": {k: {"value": v} for k, v in measured.items()}}
    return made, Metrics.of({**told, "model": {"name": name, "fingerprint": made.metadata["fingerprint"]}})


def _pace(pieces: int, batch_size: int, epochs: int) -> tuple[int, int]:
    """(Pieces a step, epochs) where they are 0. A network needs some hundred steps to learn anything, and forty texts at sixteen a step
    give three an epoch: of 36 short texts it learned nothing in 60 such steps, and an F1 of 0.6 in 170 of four."""
    batch_size = batch_size or min(16, max(4, pieces // 16))
    steps = max(1, -(-pieces // batch_size))
    return batch_size, epochs or min(60, max(10, -(-STEPS // steps)))


def _tell(said: truth.Labelled, fitted: truth.Fitted, counts: Counter[str], total: int) -> None:
    """A few lines for the log, and what was changed as warnings."""
    step = context.current()
    found = ", ".join(f"{label} {count:,}" for label, count in counts.most_common(MANY_LABELS))
    step.log(f"{len(said.texts):,} texts of “{said.text_column}” with {total:,} words and signs; spans: {found}.")
    if len(fitted.layers) > 1:
        step.log(f"Spans of different labels overlap: {len(fitted.layers)} layers, one for each label.")
    if empty := sum(not text.strip() for text in said.texts):
        step.log(f"{empty:,} texts are empty.", "warning")
    if fitted.widened:
        step.log(f"{fitted.widened:,} spans begin or end inside a word; it learns them with the whole word.", "warning")
    if fitted.dropped:
        where = "of the same label " if len(fitted.layers) > 1 else ""
        step.log(f"{fitted.dropped:,} spans {where}lie over a longer one; the longer one is learned.", "warning")
    if fitted.unread:
        step.log(f"{fitted.unread:,} spans lie behind the first {spans.MOST_CHARACTERS:,} characters; no more is read.", "warning")


def _reader(raw: Sequence[Any]) -> spans.Reader:
    """What was seen at least twice, the most frequent first; all where hardly anything was."""
    seen = np.zeros(spans.BUCKETS, dtype=np.int64)
    for one in raw:
        seen += np.bincount(one.reshape(-1), minlength=spans.BUCKETS)
    there = np.flatnonzero(seen >= 2)
    there = there if len(there) else np.flatnonzero(seen)
    return spans.Reader(np.sort(there[np.argsort(-seen[there], kind="stable")[:MOST_BUCKETS]]).astype(np.int32))


def _parts(found: Sequence[Sequence[Any]], seed: int) -> tuple[Any, Any]:
    """A tenth of the texts is watched, of those with spans as of those without. Of few texts none: by three or four of them the best
    epoch is picked at random."""
    if len(found) < WATCHED:
        return np.arange(len(found)), np.arange(0)
    chance, held = np.random.default_rng(seed), []
    for some in (True, False):
        rows = np.array([n for n, spans_ in enumerate(found) if bool(spans_) == some], dtype=int)
        held.append(chance.permutation(rows)[: -(-len(rows) // 10)])
    watched = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(found)), watched), watched


def _watched(
    validation: Table, said: truth.Labelled, labels: list[str], apart: bool, offsets: str, reader: spans.Reader
) -> loop.Examples | None:
    found = truth.labelled(validation, said.text_column, said.spans_column, offsets)
    known = [[span for span in one if span.label in labels] for one in found.spans]
    read = [reader(text) for text in found.texts]
    return _examples(read, truth.fit(known, [one.places for one in read], labels, apart=apart), np.arange(len(read)))


def _examples(read: Sequence[spans.Read], fitted: truth.Fitted, rows: Any) -> loop.Examples:
    """Pieces of PIECE tokens that show REACH more on both sides: numbers `[pieces, tokens, SLOTS]`, targets `[pieces, tokens, layers]`."""
    cut = [(int(n), start) for n in rows for start in range(0, len(read[n].places), PIECE)]
    longest = max((min(len(read[n].places), start + PIECE + REACH) - max(0, start - REACH) for n, start in cut), default=1)
    x = np.zeros((len(cut), longest, spans.SLOTS), dtype=np.int32)
    y = np.full((len(cut), longest, len(fitted.layers)), NOT_HERE, dtype=np.int64)
    encoded: tuple[int, Any] = (-1, None)
    for piece, (n, start) in enumerate(cut):
        count = len(read[n].places)
        if encoded[0] != n:
            by_layer = zip(fitted.spans[n], fitted.layers, strict=True)
            encoded = (n, np.stack([tags.encode(count, found, len(labels)) for found, labels in by_layer], axis=1))
        first, end = max(0, start - REACH), min(count, start + PIECE)
        shown = min(count, end + REACH)
        x[piece, : shown - first] = read[n].numbers[first:shown]
        y[piece, start - first : end - first] = encoded[1][start:end]
    return loop.Examples(x=x, y=torch.from_numpy(y))


def _loss(network: Tagger) -> loop.Loss:
    """Cross entropy of each token's tag, summed over layers, the mean over tokens."""

    def loss(outputs: torch.Tensor, y: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        parts = [
            torch.nn.functional.cross_entropy(one.float().reshape(-1, one.shape[-1]), y[..., n].reshape(-1), ignore_index=NOT_HERE)
            for n, one in enumerate(network.layers(outputs))
        ]
        return torch.stack(parts).sum()

    return loss


def _quality(network: Tagger) -> loop.Quality:
    """F1 of the spans that are exactly found; of spans cut by the edge of a piece only the part inside counts as nothing."""

    def quality(outputs: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        right = said = wanted = 0
        for n, one in enumerate(network.layers(outputs)):
            chances, target = torch.softmax(one, dim=-1).numpy(), y[..., n].numpy()
            rows = [target[row] != NOT_HERE for row in range(len(target))]
            found = tags.decode([chances[row][own] for row, own in enumerate(rows)])
            labels = (one.shape[-1] - 1) // 4
            for row, (spans_, _) in enumerate(found):
                true = set(tags.spans_of(target[row][rows[row]], labels))
                predicted = {span[:3] for span in spans_}
                right, said, wanted = right + len(true & predicted), said + len(predicted), wanted + len(true)
        return {"f1": 2 * right / max(1, said + wanted)}

    return quality
