"""Latent semantic analysis (Deerwester and others, 1990): weighted words and pairs of words, condensed to the topics of this data set.

Words are placed in the same space as texts, so that they can be looked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workers.embedding.errors import CannotEmbed
from workers.embedding.shape import DIMENSIONS, Floats, Input, unit
from workers.embedding.texts import text_of
from workers.sdk.store import Store

TERMS = 20_000
PATTERN = r"(?u)\b\w\w+\b"


class Embedding:
    def __init__(self, store: Store, parameters: dict[str, Any]) -> None:
        self._store = store
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.told: dict[str, Any] = {}
        self._weigher: Any = None

    def fit(self, inputs: list[Input]) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = [text for one in inputs if (text := text_of(self._store, one)) and text.strip()]
        least = 2 if len(texts) >= 50 else 1
        weigher = TfidfVectorizer(token_pattern=PATTERN, ngram_range=(1, 2), min_df=least, max_features=TERMS, sublinear_tf=True)
        try:
            weighed = weigher.fit_transform(texts)
        except ValueError as error:
            raise CannotEmbed("The texts hold no words that could be compared.") from error
        terms = weigher.get_feature_names_out()
        self.told = {"terms": [str(term) for term in terms]}
        self.arrays["idf"] = weigher.idf_.astype(np.float32)
        if min(weighed.shape) < 3:
            raise CannotEmbed("At least three texts with words of their own are needed.")
        svd = TruncatedSVD(min(DIMENSIONS, min(weighed.shape) - 1), random_state=0).fit(weighed)
        self.arrays["components"] = svd.components_.astype(np.float32)

    def embed(self, inputs: list[Input]) -> list[Floats | None]:
        texts = [text_of(self._store, one) for one in inputs]
        rows = self._placed([text or "" for text in texts])
        return [row if text is not None else None for text, row in zip(texts, rows, strict=True)]

    def query(self, text: str) -> Floats:
        rows = self._weighed([text])
        if rows.nnz == 0:
            raise CannotEmbed("None of these words is in the data set.")
        return unit(rows @ self.arrays["components"].T)[0]

    def _placed(self, texts: list[str]) -> Floats:
        return unit(np.asarray(self._weighed(texts) @ self.arrays["components"].T))

    def _weighed(self, texts: list[str]) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        if self._weigher is None:
            self._weigher = TfidfVectorizer(token_pattern=PATTERN, ngram_range=(1, 2), sublinear_tf=True, vocabulary=self.told["terms"])
            self._weigher.idf_ = self.arrays["idf"]
        return self._weigher.transform(texts)
