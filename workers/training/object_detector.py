"""Training a detector: read boxes, decode pictures, train, choose the threshold, publish."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch

from workers.sdk import boxes as finding
from workers.sdk import context, precision
from workers.sdk.errors import StepError
from workers.sdk.kinds import Images, Metrics, Model
from workers.training import boxes, loop, objects, pictures
from workers.training.export import to_onnx
from workers.training.model_folder import write_model
from workers.training.networks import Pictures

LARGEST_AUTOMATIC = 256
FEWEST = 30
"""Steps of the optimiser in an epoch at least, as far as the pictures reach: a few dozen of them would be few steps."""
PARITY_NUMBERS = 2_000_000
"""Of the answers that are kept to check the published model by."""


def train(
    train: Images,
    validation: Images | None,
    *,
    control: str,
    size: int,
    color: str,
    augment: str,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    width: int,
    patience: int,
    name: str,
    seed: int,
) -> tuple[Model, Metrics]:
    """The component's body; its parameters are explained there."""
    step = context.current()
    torch.set_num_threads(step.threads)

    # 1. What is to be found.
    drawn = boxes.read(train, control=control, most=boxes.MOST_IN_A_PICTURE)
    labels, truth = drawn.labels, drawn.truth
    if len(drawn.rows) < 2:
        raise StepError("There is one labelled image.", hint="A detector needs some dozens of labelled images.")
    counts = Counter(labels[int(n)] for one in truth for n in one[:, 4])
    if rare := [f"“{label}” ({count})" for label, count in counts.items() if count < 5]:
        step.log(f"Few boxes of {', '.join(sorted(rare)[:10])}: five or more of each are needed to learn anything.", "warning")

    # 2. The pictures, decoded once; whatever size they had, boxes are shares of them.
    height, width_, channels = pictures.look(train, size, color, largest=LARGEST_AUTOMATIC, multiple=objects.COARSEST)
    height, width_ = (max(2, round(side / objects.COARSEST)) * objects.COARSEST for side in (height, width_))
    step.log(
        f"{drawn.count:,} boxes of {len(labels)} {'label' if len(labels) == 1 else 'labels'} on {len(drawn.rows):,} images, at"
        f" {width_} × {height}, {'grey' if channels == 1 else 'colour'}."
    )
    boxes.tell_of_small(truth, height, width_)
    x = pictures.decode(train, "train", height, width_, channels, drawn.rows, share=(0.0, 0.1))
    if validation is not None:
        watched = boxes.read(validation, labels, control=control, most=boxes.MOST_IN_A_PICTURE)
        x_held, held = pictures.decode(validation, "validation", height, width_, channels, watched.rows, share=(0.1, 0.15)), watched.truth
    else:
        order = np.random.default_rng(seed).permutation(len(truth))
        aside, learn = np.sort(order[: len(truth) // 10]), np.sort(order[len(truth) // 10 :])
        x_held, held, x, truth = x[aside], [truth[n] for n in aside], x[learn], [truth[n] for n in learn]

    # 3. The network.
    torch.manual_seed(seed)
    every = np.concatenate([one for one in truth if len(one)] or [np.array([[0, 0, 0.2, 0.2, 0]])])
    usual = (float((every[:, 2] - every[:, 0]).mean() / 2), float((every[:, 3] - every[:, 1]).mean() / 2))
    some = x[:: max(1, len(x) // 200)].reshape(-1, channels) / 255.0
    mean, spread = some.mean(axis=0).tolist(), np.maximum(some.std(axis=0), 1e-3).tolist()
    network = objects.Pyramid(channels, len(labels), height, width_, first=width, usual=usual)
    model = Pictures(network, mean, spread)

    # 4. Train.
    batch = min(batch_size, max(4, len(truth) // FEWEST))
    plan = loop.Plan(epochs=epochs, batch_size=batch, learning_rate=learning_rate, weight_decay=weight_decay, patience=patience, seed=seed)

    def quality(places: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
        real = [one[one[:, 4] >= 0] for one in wanted.numpy()]
        told = finding.found(objects.scored(places).numpy())
        averages = precision.average(precision.matches(real, list(told), len(labels)))
        return {"mAP": precision.mean(averages), "mAP@0.5": precision.mean(averages, 0)}

    watching = len(held) > 0 and any(len(one) for one in held)
    if watching and len(held) < loop.LEAST_HELD:
        step.log(f"{len(held)} images to watch by are too few to choose an epoch: the last one is kept.")
    outcome = loop.fit(
        model,
        loop.Examples(x=x, y=torch.from_numpy(boxes.padded(truth))),
        loop.Examples(x=x_held, y=torch.from_numpy(boxes.padded(held))) if watching else None,
        plan,
        loss_of=objects.loss_for(network.rows, network.columns, len(labels)),
        quality_of=quality,
        vary=objects.varied(augment, model.scaled),
        judged_by="mAP",
        choose=len(held) >= loop.LEAST_HELD,
        share=(0.15, 0.85),
    )

    # 5. From which score on boxes are told: where the held-out part has the best F1.
    published = objects.Places(model).eval()
    told = _found(published, x_held if watching else x, batch)
    threshold = precision.best_threshold(precision.matches(held if watching else truth, told, len(labels)))
    measured: dict[str, float] = {}
    if watching:
        made = precision.matches(held, told, len(labels))
        averages = precision.average(made)
        found = precision.counted(made, threshold)
        right, said, real = (float(found[n].sum()) for n in ("right", "told", "truth"))
        measured = {
            "validation_map": precision.mean(averages),
            "validation_map_50": precision.mean(averages, 0),
            "validation_precision": right / max(said, 1),
            "validation_recall": right / max(real, 1),
        }
    step.log(f"Boxes are told from a score of {threshold:.2f} on, where precision and recall are best together.")

    # 6. Publish.
    step.progress(0.88, "Publishing as ONNX")
    onnx = to_onnx(published, height, width_, channels, "places")
    step.check_cancelled()
    rows = int(np.clip(PARITY_NUMBERS // (network.rows * network.columns * (4 + len(labels))), 4, 32))
    sample = np.ascontiguousarray(x[np.linspace(0, len(x) - 1, min(rows, len(x))).astype(int)])
    chance = np.random.default_rng(seed)
    odd = [np.zeros(sample.shape[1:]), np.full(sample.shape[1:], 255), chance.integers(0, 256, sample.shape[1:])]
    sample = np.concatenate([sample, np.stack(odd).astype(np.uint8)])
    with torch.inference_mode():
        original = published(torch.from_numpy(sample)).reshape(len(sample), -1).numpy()
    settings = {
        "control": control, "size": size, "color": color, "augment": augment, "epochs": outcome.epochs, "best_epoch": outcome.best,
        "batch_size": batch, "learning_rate": learning_rate, "weight_decay": weight_decay, "width": width, "patience": patience,
        "seed": seed,
    }  # fmt: skip
    method = "a compact detector without anchors"
    model_ = write_model(
        onnx,
        name=name,
        task="detection",
        framework="torch",
        target="boxes",
        labels=labels,
        positive="",
        input_={
            "kind": "image",
            "onnx_input": "image",
            "dtype": "uint8",
            "layout": "NHWC",
            "height": height,
            "width": width_,
            "channels": channels,
            "resize": "exact",
        },
        training={
            "parameters": settings,
            "rows": len(truth),
            "boxes": int(sum(map(len, truth))),
            "dataset_versions": list(train.metadata.get("dataset_versions", [])),
            "method": method,
        },
        metrics=measured,
        parity_inputs={"image": sample},
        parity_answers=original,
        card={
            "method": method,
            "data": f"- {sum(counts.values()):,} boxes: " + ", ".join(f"{label} {n:,}" for label, n in counts.most_common(50)) + ".",
            "limits": f"- Of boxes of one label that overlap by more than {finding.OVERLAP:.0%} only the likelier one is told, and no more"
            f" than {finding.MOST} of a picture.\n- Boxes stand upright.",
        },
        output={"kind": "detection", "labels": labels, "output": "places", "threshold": threshold},
    )
    parity = model_.metadata["parity"]
    step.log(f"ONNX answers within {parity['largest_difference']:.1e} of the original on {parity['rows']} images.")
    step.progress(1.0, "Done")
    values = {k: {"value": v} for k, v in measured.items()}
    return model_, Metrics.of(
        {"task": "detection", "values": values, "model": {"name": name, "fingerprint": model_.metadata["fingerprint"]}}
    )


def _found(published: torch.nn.Module, x: np.ndarray, batch: int) -> list[np.ndarray]:
    """What the model tells of pictures: `[100, 6]` each."""
    made: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(x), 2 * batch):
            context.current().check_cancelled()
            made += list(finding.found(published(torch.from_numpy(np.array(x[start : start + 2 * batch]))).numpy()))
    return made
