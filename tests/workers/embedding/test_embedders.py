"""Each embedder as the process that uses it does: learned, packed, unpacked elsewhere, and alike is close."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from workers.embedding import doubt
from workers.embedding.arrange import clustered, near_pairs, projected, spread
from workers.embedding.embedders import picture_checkpoint, picture_model, picture_shapes, row_values, text_checkpoint
from workers.embedding.errors import CannotEmbed
from workers.embedding.shape import Shape, pack, unpack
from workers.sdk.embedders import EMBEDDERS
from workers.sdk.store import Store

FOLDER = Path(__file__).resolve().parents[3] / "workers" / "embedding" / "embedders"


def test_every_embedder_that_is_offered_has_its_file_and_no_other_is_there() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} == set(EMBEDDERS)


def digits(store: Store, count: int) -> tuple[list[str], Any]:
    bundle, found = load_digits(), []
    for n in range(count):
        file = io.BytesIO()
        Image.fromarray((bundle.images[n] * 15.9).astype(np.uint8)).resize((32, 32)).save(file, "PNG")
        found.append(store.put_bytes(file.getvalue(), durable=False).digest)
    return found, bundle.target[:count]


def moved(shape: Shape, other: Shape) -> Shape:
    """As it is in the next process."""
    unpack(pack(shape), other)
    return other


def embedded(shape: Shape, inputs: list[dict[str, Any]]) -> Any:
    return np.stack([row for row in shape.embed(inputs) if row is not None])


def test_shapes_tell_digits_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    names, kinds = digits(store, 1000)
    inputs = [{"image": name} for name in names]
    shape = picture_shapes.Embedding(store, {})
    shape.fit(inputs[:400])
    rows = embedded(moved(shape, picture_shapes.Embedding(store, {})), inputs)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    score = KNeighborsClassifier(5, metric="cosine").fit(rows[:700], kinds[:700]).score(rows[700:], kinds[700:])
    assert score > 0.95, "by their five nearest neighbours; the pixels themselves give 0.93"
    broken = store.put_bytes(b"no picture").digest
    assert shape.embed([{"image": broken}, inputs[0]])[0] is None
    with pytest.raises(CannotEmbed, match="not words"):
        shape.query("seven")


def test_a_models_features_are_what_enters_its_last_layer(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto as T
    from onnx import helper, numpy_helper

    weights = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)
    head = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["float"], to=T.FLOAT),
            helper.make_node("Flatten", ["float"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weights"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["features"]),
            helper.make_node("MatMul", ["features", "head"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", T.UINT8, ["batch", 8, 8, 1])],
        [helper.make_tensor_value_info("probabilities", T.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(head, "head")],
    )
    folder = tmp_path / "model"
    folder.mkdir()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(folder / "model.onnx"))
    (folder / "manifest.json").write_text(json.dumps({"input": {"kind": "image", "height": 8, "width": 8, "channels": 1}}))
    store = Store(tmp_path / "store")
    parameters = {"digest": store.put_folder(folder).digest}
    names, _ = digits(store, 12)
    inputs = [{"image": name} for name in names]
    shape = picture_model.Embedding(store, parameters)
    shape.fit(inputs)
    assert embedded(moved(shape, picture_model.Embedding(store, parameters)), inputs).shape == (12, 5)


@pytest.mark.slow
def test_a_clip_checkpoint_places_pictures_and_words_in_one_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny one with random weights: what it says is worth nothing, where it lies is what is tested."""
    import torch
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config=CLIPTextConfig(
            **small, vocab_size=64, max_position_embeddings=16, eos_token_id=3, bos_token_id=2, pad_token_id=0
        ).to_dict(),
        vision_config=CLIPVisionConfig(**small, image_size=32, patch_size=8).to_dict(),
        projection_dim=12,
    )
    shelf = tmp_path / "checkpoints"
    CLIPModel(config).save_pretrained(shelf / "tiny")
    tokenizer(shelf / "tiny")
    monkeypatch.setenv("HEADRACE_CHECKPOINTS", str(shelf))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    store = Store(tmp_path / "store")
    names, _ = digits(store, 3)
    shape = picture_checkpoint.Embedding(store, {"checkpoint": "tiny"})
    shape.fit([])
    assert shape.told == {"takes_text": True}
    rows = embedded(shape, [{"image": name} for name in names])
    assert rows.shape == (3, 12) and shape.query("a small seven").shape == (12,)
    with pytest.raises(CannotEmbed, match="cannot be used"):
        picture_checkpoint.Embedding(store, {"checkpoint": "nothing-here"}).fit([])
    with pytest.raises(CannotEmbed, match="not the name"):
        picture_checkpoint.Embedding(store, {"checkpoint": "../tiny"}).fit([])


def tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: n for n, word in enumerate(["[PAD]", "[UNK]", "[BOS]", "[EOS]", "a", "small", "seven", "boat", "sea"])}
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", eos_token="[EOS]", bos_token="[BOS]"
    ).save_pretrained(folder)


@pytest.mark.slow
def test_a_language_checkpoint_takes_texts_and_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import BertConfig, BertModel

    shelf = tmp_path / "checkpoints"
    BertModel(BertConfig(vocab_size=16, hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)).save_pretrained(
        shelf / "tiny"
    )
    tokenizer(shelf / "tiny")
    monkeypatch.setenv("HEADRACE_CHECKPOINTS", str(shelf))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    shape = text_checkpoint.Embedding(Store(tmp_path), {"checkpoint": "tiny"})
    shape.fit([])
    one, two = embedded(shape, [{"text": "a small boat"}, {"text": "sea"}])
    assert one.shape == (12,) and not np.allclose(one, two)
    assert np.allclose(shape.query("a small boat"), one, atol=1e-5)


def test_rows_with_like_values_are_close_whatever_is_missing(tmp_path: Path) -> None:
    chance = np.random.default_rng(2)
    rows = [
        {"size": float(10 * (n % 2) + chance.normal()), "kind": "ab"[n % 2], "name": f"n{n}", "empty": None, "flag": bool(n % 2)}
        for n in range(60)
    ]
    rows[5]["size"] = None
    shape = row_values.Embedding(Store(tmp_path), {})
    inputs = [{"row": row} for row in rows]
    shape.fit(inputs)
    assert {c["name"] for c in shape.told["columns"]} == {"size", "kind", "flag"}, "names tell rows apart, and are no likeness"
    found = embedded(shape, inputs)
    near = np.argsort(-(found @ found[0]))[1:20]
    assert all(n % 2 == 0 for n in near)
    with pytest.raises(CannotEmbed, match="No column"):
        row_values.Embedding(Store(tmp_path), {}).fit([{"row": {"name": f"x{n}"}} for n in range(40)])


def groups(each: int = 40) -> tuple[Any, Any]:
    chance = np.random.default_rng(1)
    centres = np.eye(8)[:4]
    kinds = np.repeat(np.arange(4), each)
    rows = centres[kinds] + 0.12 * chance.normal(size=(4 * each, 8))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), kinds


def test_clusters_map_order_and_pairs_follow_what_is_alike() -> None:
    rows, kinds = groups()
    clusters, _ = clustered(rows)
    assert all(len(set(clusters[kinds == k])) == 1 for k in range(4)) and len(set(clusters)) == 4
    flat = projected(rows)
    inside = np.mean([np.linalg.norm(flat[kinds == k] - flat[kinds == k].mean(0), axis=1).mean() for k in range(4)])
    between = np.mean([np.linalg.norm(flat[kinds == a].mean(0) - flat[kinds == b].mean(0)) for a in range(4) for b in range(a)])
    assert between > 2 * inside
    place = spread(rows, clusters)
    assert sorted(place.tolist()) == list(range(len(rows)))
    assert {int(kinds[n]) for n in np.argsort(place)[:4]} == {0, 1, 2, 3}, "the first four show all kinds"
    pairs = near_pairs(np.concatenate([rows, rows[:3]]))
    assert {(a, b) for a, b, d in pairs if d < 1e-6} >= {(0, 160), (1, 161), (2, 162)}


def test_the_confident_joint_is_that_of_the_paper() -> None:
    """Its worked example in small: thresholds are the mean self-confidence; an item counts for the likeliest class above its threshold."""
    labels = np.array([0, 0, 0, 1, 1, 1])
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.95, 0.05]])
    counts, true = doubt.confident_joint(labels, chances)
    # thresholds: (0.9 + 0.8 + 0.2) / 3 = 0.6333, (0.9 + 0.7 + 0.05) / 3 = 0.55
    assert counts.tolist() == [[2, 1], [1, 2]] and true.tolist() == [0, 0, 1, 1, 1, 0]
    found, joint = doubt.doubted(labels, chances)
    assert [(n, k) for n, k, _ in found] == [(5, 0), (2, 1)] and np.allclose(joint, [[1 / 3, 1 / 6], [1 / 6, 1 / 3]])


@given(st.integers(0, 2**32 - 1))
def test_the_joint_keeps_how_often_each_label_was_given(seed: int) -> None:
    chance = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(3), chance.integers(3, size=30)])
    chances = chance.dirichlet(np.ones(3), size=33)
    counts, _ = doubt.confident_joint(labels, chances)
    joint = doubt.noise(labels, counts)
    assert np.allclose(joint.sum(axis=1), np.bincount(labels) / 33) and np.isclose(joint.sum(), 1)
    found, _ = doubt.doubted(labels, chances)
    assert [s for _, _, s in found] == sorted(s for _, _, s in found) and all(k != labels[n] for n, k, _ in found)
