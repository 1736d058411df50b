"""Training on pictures: decode, choose the network, train, publish."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workers.sdk import context
from workers.sdk.errors import StepError
from workers.sdk.kinds import Images, Metrics, Model
from workers.training import loop, pictures
from workers.training.export import pictures_to_onnx
from workers.training.model_folder import write_model
from workers.training.networks import Pictures, SmallConvolutions, augmentation

PARITY_IMAGES = 64
# The statistics most checkpoints were trained with; used where a checkpoint names none.
USUAL = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])


def train(
    train: Images,
    validation: Images | None,
    *,
    checkpoint: str,
    only_last_layer: bool,
    size: int,
    color: str,
    augment: str,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    width: int,
    dropout: float,
    patience: int,
    balance_classes: bool,
    positive_label: str,
    name: str,
    seed: int,
) -> tuple[Model, Metrics]:
    """The component's body; its parameters are explained there."""
    step = context.current()
    torch.set_num_threads(step.threads)

    # 1. What is to be told apart.
    labels, each = pictures.labels_of(train)
    if positive_label and positive_label not in labels:
        raise StepError(
            f"“{positive_label}” is no class of these images.", hint="There are: " + ", ".join(labels[:20]), field="positive_label"
        )
    codes = {label: i for i, label in enumerate(labels)}
    rows = [i for i, label in enumerate(each) if label]
    if len(rows) < len(each):
        step.log(f"{len(each) - len(rows)} images without a label are left out.", "warning")
    y = np.array([codes[each[i] or ""] for i in rows], dtype=np.int64)

    # 2. The network.
    torch.manual_seed(seed)
    if checkpoint:
        network, height, width_, mean, spread = _from_checkpoint(checkpoint, labels, size, only_last_layer)
        channels, framework = 3, "torch, transformers"
        method = f"{checkpoint}, fine-tuned" + (" (last layer)" if only_last_layer else "")
    else:
        height, width_, channels = pictures.look(train, size, color)
        framework, method = "torch", "a small convolutional network"
    step.log(f"{len(y):,} images of {len(labels)} classes, at {width_} × {height}, {'grey' if channels == 1 else 'colour'}.")

    # 3. The pictures, decoded once.
    x = pictures.decode(train, "train", height, width_, channels, rows if len(rows) < len(each) else None, share=(0.0, 0.1))
    if validation is not None:
        told = validation.arrow(["label"])["label"].to_pylist()
        known = [i for i, label in enumerate(told) if label in codes]
        x_held = pictures.decode(validation, "validation", height, width_, channels, known, share=(0.1, 0.15))
        y_held = np.array([codes[told[i]] for i in known], dtype=np.int64)
    else:
        order, aside = np.random.default_rng(seed).permutation(len(y)), len(y) // 10 if len(y) >= 10 * loop.LEAST_HELD else 0
        held, learn = np.sort(order[:aside]), np.sort(order[aside:])
        x_held, y_held, x, y = x[held], y[held], x[learn], y[learn]
    if not checkpoint:
        some = x[:: max(1, len(x) // 2000)].reshape(-1, channels) / 255.0
        mean, spread = some.mean(axis=0).tolist(), np.maximum(some.std(axis=0), 1e-3).tolist()
        network = SmallConvolutions(channels, len(labels), max(height, width_), width, dropout)
    counts = np.bincount(y, minlength=len(labels))
    weights = torch.tensor(len(y) / (len(labels) * np.maximum(counts, 1)), dtype=torch.float32) if balance_classes else None

    # 4. Train.
    model = Pictures(network, mean, spread, logits=bool(checkpoint))
    change = augmentation(augment)
    plan = loop.Plan(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate or (1e-4 if checkpoint else 1e-2),
        weight_decay=weight_decay,
        patience=patience,
        seed=seed,
    )
    outcome = loop.fit(
        model,
        loop.Examples(x=x, y=torch.from_numpy(y)),
        loop.Examples(x=x_held, y=torch.from_numpy(y_held)) if len(y_held) else None,
        plan,
        loss_of=loop.classify_loss(weights),
        quality_of=loop.classify_quality,
        share=(0.15, 0.85),
        augment=(lambda images, chance: change(model.scaled(images), chance)) if change is not None else None,
    )

    # 5. Publish.
    step.progress(0.88, "Publishing as ONNX")
    onnx = pictures_to_onnx(model, height, width_, channels)
    step.check_cancelled()
    sample = np.ascontiguousarray(x[np.linspace(0, len(x) - 1, min(PARITY_IMAGES - 4, len(x))).astype(int)])
    chance = np.random.default_rng(seed)
    odd = np.stack([np.zeros(sample.shape[1:]), np.full(sample.shape[1:], 255), *chance.integers(0, 256, (2, *sample.shape[1:]))]).astype(
        np.uint8
    )
    sample = np.concatenate([sample, odd])
    with torch.inference_mode():
        original = torch.softmax(model(torch.from_numpy(sample)), dim=1).numpy()
    positive = positive_label or (labels[0] if counts[0] < counts[1] else labels[1]) if len(labels) == 2 else ""
    measured = {f"validation_{k}": v for k, v in outcome.metrics.items()}
    made = write_model(
        onnx,
        name=name,
        task="classification",
        framework=framework,
        target="label",
        labels=labels,
        positive=positive,
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
            "parameters": {
                "checkpoint": checkpoint,
                "only_last_layer": only_last_layer,
                "size": size,
                "color": color,
                "augment": augment,
                "epochs": outcome.epochs,
                "best_epoch": outcome.best,
                "batch_size": batch_size,
                "learning_rate": plan.learning_rate,
                "weight_decay": weight_decay,
                "width": width,
                "dropout": dropout,
                "patience": patience,
                "balance_classes": balance_classes,
                "seed": seed,
            },
            "rows": len(y),
            "dataset_versions": list(train.metadata.get("dataset_versions", [])),
            "method": method,
        },
        metrics=measured,
        parity_inputs={"image": sample},
        parity_answers=original,
        card={"method": method, "limits": "- Whatever it is shown, it answers with one of its classes; pictures of other things too."},
    )
    parity = made.metadata["parity"]
    step.log(f"ONNX answers within {parity['largest_difference']:.1e} of the original on {parity['rows']} images.")
    step.progress(1.0, "Done")
    values = {k: {"value": v} for k, v in measured.items()}
    return made, Metrics.of(
        {"task": "classification", "values": values, "model": {"name": name, "fingerprint": made.metadata["fingerprint"]}}
    )


def _from_checkpoint(
    checkpoint: str, labels: list[str], size: int, only_last_layer: bool
) -> tuple[torch.nn.Module, int, int, list[float], list[float]]:
    """A transformers image classifier with a fresh last layer, and how its pictures are scaled. Weights are read as safetensors
    only, and no code that comes with a checkpoint is run."""
    import json

    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read at import
    from transformers import AutoModelForImageClassification

    step = context.current()
    shelf = Path(os.environ.get("HEADRACE_CHECKPOINTS", Path(os.environ.get("HEADRACE_DATA_DIR", ".headrace")) / "checkpoints"))
    local = (shelf / checkpoint).is_dir()
    source = str(shelf / checkpoint) if local else checkpoint
    step.progress(0.0, f"Loading {checkpoint}")
    try:
        network: Any = AutoModelForImageClassification.from_pretrained(
            source,
            num_labels=len(labels),
            ignore_mismatched_sizes=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation="eager",
        )
    except (OSError, ValueError) as error:
        raise StepError(
            f"The checkpoint “{checkpoint}” cannot be used: {str(error).strip().splitlines()[0][:300]}",
            hint="Is its name right, is it an image model with safetensors weights, and can this machine reach the hub? "
            "Or put its folder among the studio's checkpoints.",
            field="checkpoint",
        ) from error
    if only_last_layer:
        heads = [m for n, m in network.named_children() if n in {"classifier", "head", "fc", "score"}]
        if not heads:
            raise StepError("This checkpoint's last layer was not found.", hint="Train the whole network instead.", field="only_last_layer")
        for parameter in network.parameters():
            parameter.requires_grad = False
        for parameter in heads[-1].parameters():
            parameter.requires_grad = True
    scaling: dict[str, Any] = {}
    try:
        if local:
            scaling = json.loads((shelf / checkpoint / "preprocessor_config.json").read_text(encoding="utf-8"))
        else:
            from transformers.utils import cached_file

            found = cached_file(source, "preprocessor_config.json", _raise_exceptions_for_missing_entries=False)
            scaling = json.loads(Path(found).read_text(encoding="utf-8")) if found else {}
    except (OSError, ValueError):
        step.log("The checkpoint does not say how its pictures are scaled; the usual way is taken.", "warning")
    side = getattr(network.config, "image_size", None) or 224
    wanted = side if isinstance(side, int | list | tuple) else 224
    height, width = (wanted, wanted) if isinstance(wanted, int) else (int(wanted[0]), int(wanted[1]))
    if size and (height, width) != (size, size):
        step.log(f"The checkpoint was made for {width} × {height} pixels; that is used.", "warning")
    return network, height, width, list(scaling.get("image_mean") or USUAL[0]), list(scaling.get("image_std") or USUAL[1])
