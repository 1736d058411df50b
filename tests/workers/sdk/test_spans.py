"""Texts as tokens and back, and tags as spans: what training, evaluation and the predictor share."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.sdk import spans, tags

LETTERS = st.text(
    st.one_of(
        st.characters(), st.sampled_from("aé\u0301 \n.@-1२東កா🙈\u200d\u200f\ud83d\0İß")
    ),
    max_size=60,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(LETTERS)
def test_tokens_lie_in_the_text_in_order_and_leave_out_only_white_space(text: str) -> None:
    found = spans.tokens(text)
    assert all(a < b for a, b in found) and all(one[1] <= other[0] for one, other in itertools.pairwise(found))
    inside = {place for a, b in found for place in range(a, b)}
    assert all(text[place].isspace() for place in range(len(text)) if place not in inside)
    assert not any(text[a].isspace() or text[b - 1].isspace() for a, b in found)
    made = spans.features(text, found)
    assert made.shape == (len(found), spans.SLOTS) and ((made >= 0) & (made < spans.BUCKETS)).all()
    to, back = spans.units(text), spans.characters(text)
    assert [back(to(place)) for place in range(len(text) + 1)] == list(range(len(text) + 1))
    units = text.encode("utf-16-le", "surrogatepass")
    for a, b in found:
        assert units[2 * to(a) : 2 * to(b)] == text[a:b].encode("utf-16-le", "surrogatepass")
    assert back(to(len(text)) + 1) is None and back(-1) is None


def test_words_of_any_script_digits_and_signs_are_told_apart() -> None:
    def cut(text: str) -> list[str]:
        return [text[a:b] for a, b in spans.tokens(text)]

    assert cut("Anna-Lena, v2.4 (łódź@x.org)") == ["Anna", "-", "Lena", ",", "v", "2", ".", "4", "(", "łódź", "@", "x", ".", "org", ")"]
    assert cut("نمی‌خواهم हिन्दी ١٢٣") == ["نمی‌خواهم", "हिन्दी", "١٢٣"], "joiners and vowel signs stay with their word"
    assert cut("東京へ 行く") == ["東", "京", "へ", "行", "く"]
    assert cut("e\u0301te\u0301 👨‍👩") == ["e\u0301te\u0301", "👨‍", "👩"]
    assert spans.characters("a🙈b")(2) is None, "half a character is no place"
    assert len(spans.tokens("x " * 10**6)) == spans.MOST_CHARACTERS // 2


def test_what_a_token_is_hashed_to_is_written_down() -> None:
    """A model kept for years meets the same numbers: whoever changes them must give the format a new name."""
    text = "Anna 12"
    assert spans.FORMAT == "headrace-spans/1"
    assert spans.features(text, spans.tokens(text))[:, [0, 1, 2, 10]].tolist() == EXPECTED


EXPECTED = [[771348, 739725, 312601, 476322], [889455, 569162, 387007, 229996]]


def test_a_text_read_in_pieces_is_answered_as_a_whole() -> None:
    """A network that looks `reach` tokens to each side, played by sums over neighbours, cannot tell where a piece ends."""
    reader, reach = spans.Reader(np.arange(0, spans.BUCKETS, 3, dtype=np.int32)), 8
    weights = np.random.default_rng(1).normal(size=(2 * reach + 1, spans.SLOTS))

    def ask(numbers: Any) -> Any:
        padded = np.pad(numbers, ((0, 0), (reach, reach), (0, 0)))
        looked = sum(padded[:, n : n + numbers.shape[1]] @ weights[n] for n in range(2 * reach + 1))
        return np.asarray(looked)[..., None]

    texts = [" ".join(f"w{n * k}" for n in range(count)) for k, count in enumerate((700, 0, 3, 96, 97, 1000))]
    read = [reader(text) for text in texts]
    for one, said in zip(read, spans.chances(ask, read, reach, 1), strict=True):
        whole = ask(one.numbers[None].astype(np.int64))[0] if len(one.places) else np.zeros((0, 1))
        np.testing.assert_allclose(said, whole, rtol=1e-5)


def valid(path: tuple[int, ...], labels: int) -> bool:
    opened = None
    for tag in path:
        kind, label = divmod(tag - 1, labels) if tag else (-1, 0)
        if (kind in (1, 2)) != (opened is not None) or (opened is not None and label != opened):
            return False
        opened = label if kind in (0, 1) else None
    return opened is None


@pytest.mark.parametrize(("labels", "count"), [(1, 1), (1, 5), (2, 4)])
def test_the_likeliest_spans_and_their_chances_are_those_of_all_sequences_tried_one_by_one(labels: int, count: int) -> None:
    random = np.random.default_rng(labels * 10 + count)
    for _ in range(12):
        chances = random.dirichlet(np.full(tags.width(labels), 0.3), size=count) + tags.LEAST
        each = {
            path: float(np.prod([chances[t, tag] for t, tag in enumerate(path)]))
            for path in itertools.product(range(tags.width(labels)), repeat=count)
            if valid(path, labels)
        }
        total, best = sum(each.values()), max(each, key=lambda path: each[path])
        wanted = tags.spans_of(np.array(best), labels)
        share = {s: sum(p for path, p in each.items() if s in tags.spans_of(np.array(path), labels)) / total for s in wanted}
        outside = [t for t in range(count) if best[t] == tags.OUTSIDE]
        least = min([*share.values(), *(sum(p for path, p in each.items() if path[t] == 0) / total for t in outside)])
        # Beside a longer one it is decoded in the same way.
        ((found, sure), _) = tags.decode([chances, random.dirichlet(np.ones(tags.width(labels)), size=count + 6)])
        assert [one[:3] for one in found] == wanted and sure == pytest.approx(least, abs=1e-7)
        assert [one[3] for one in found] == pytest.approx([share[s] for s in wanted], abs=1e-7)
        assert tags.encode(count, wanted, labels).tolist() == list(best)


def test_tags_that_contradict_each_other_still_give_spans_and_long_sequences_stay_finite() -> None:
    assert tags.decode([]) == [] and tags.decode([np.zeros((0, 5))]) == [([], 1.0)]
    inside = np.full((3000, 5), 1e-12)
    inside[:, 2] = 1.0
    ((found, sure),) = tags.decode([inside])
    assert [one[:3] for one in found] == [(0, 2999, 0)] and 0 <= sure <= 1, "all say “inside”: it begins and ends at the ends"
    even = np.full((5000, 9), 1 / 9)
    ((found, sure),) = tags.decode([even])
    assert np.isfinite(sure) and all(np.isfinite(one[3]) and 0 <= one[3] <= 1 for one in found)
