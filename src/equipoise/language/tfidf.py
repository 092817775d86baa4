"""TF-IDF followed by truncated SVD: latent semantic analysis, in the light core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from equipoise.component import Runtime
from equipoise.language.encoders import Arrays, FittedEncoder, SentenceEncoder, tidy
from equipoise.language.units import phrases
from equipoise.language.vectors import Floats


class Tfidf(SentenceEncoder):
    """Latent semantic analysis (Deerwester et al. 1990) of word and character n-grams.

    Scripts that put spaces between words give word n-grams; scripts that do not (Chinese, Japanese, Thai,
    Lao, Khmer, Burmese) give character n-grams. A term's weight in a text is (1 + ln tf) ln((1 + n) / df)
    over the n distinct texts: a term that stands in every text weighs almost nothing. Rows are scaled to
    length one before and after the SVD, so a dot product is a cosine.

    It knows only the words it was fitted on, and finds no way from English to Chinese.
    """

    name = "tfidf"

    width: PositiveInt = 128
    """Numbers per vector. Those beyond the rank of the texts are zero."""
    words: PositiveInt = 2
    """Longest run of words that counts as one term."""
    characters: PositiveInt = 2
    """Longest run of characters that counts as one term, in scripts without spaces."""
    max_terms: PositiveInt = 50_000
    """How many terms are kept: those that stand in most texts, in alphabetical order among equals."""

    def fit(self, texts: Sequence[str], runtime: Runtime | None = None) -> FittedTfidf:
        """Learn terms, weights and latent directions from the distinct texts, in whatever order they come."""
        runtime = runtime or Runtime()
        distinct = sorted({tidied for text in texts if (tidied := tidy(text, self.max_characters))})
        counts = Counter(chain.from_iterable(set(self.terms(text)) for text in distinct))
        kept = sorted(sorted(counts, key=lambda term: (-counts[term], term))[: self.max_terms])
        frequency = np.array([counts[term] for term in kept], dtype=np.float64)
        idf = np.log((1 + len(distinct)) / frequency).astype(np.float32)
        fitted = FittedTfidf(self, kept, idf, np.zeros((len(kept), self.width), dtype=np.float32), runtime)
        rank = min(self.width, len(kept), len(distinct))
        if rank:
            # On one thread: the factorisations are too thin to gain by more, and nothing depends on the cores.
            with threadpool_limits(1):
                right = randomized_svd(fitted.weights(distinct), rank, n_iter=5, random_state=runtime.seed)[2]
            fitted.directions[:, :rank] = right.T
        return fitted

    def restore(self, state: Mapping[str, Any], arrays: Arrays, runtime: Runtime) -> FittedTfidf:
        """The inverse of `FittedTfidf.state` and `.arrays`."""
        return FittedTfidf(self, list(state["terms"]), arrays["idf"], arrays["directions"], runtime)

    def terms(self, text: str) -> list[str]:
        """The terms of a text, with repetitions.

        >>> Tfidf().terms("Red wool socks, 红袜子")
        ['red', 'wool', 'socks', 'red wool', 'wool socks', '红', '袜', '子', '红袜', '袜子']
        """
        found: list[str] = []
        for phrase in phrases(text):
            for units, unspaced in phrase:
                longest = self.characters if unspaced else self.words
                glue = "" if unspaced else " "
                found += [
                    glue.join(units[start : start + size])
                    for size in range(1, longest + 1)
                    for start in range(len(units) - size + 1)
                ]
        return found


class FittedTfidf(FittedEncoder[Tfidf]):
    """Known terms, their weights, and latent directions.

    Attributes:
        vocabulary: Terms, in alphabetical order.
        idf: Inverse document frequency per term, float32.
        directions: Right singular vectors, float32 of shape (terms, width).
    """

    def __init__(
        self,
        config: Tfidf,
        vocabulary: list[str],
        idf: NDArray[np.float32],
        directions: Floats,
        runtime: Runtime | None = None,
    ) -> None:
        super().__init__(config, runtime)
        self.vocabulary, self.idf, self.directions = vocabulary, idf, directions
        if not len(vocabulary) == len(idf) == len(directions):
            raise ValueError("terms, weights and directions differ in number")

    @property
    def width(self) -> int:
        """Numbers per vector."""
        return self.config.width

    def weights(self, texts: Sequence[str]) -> csr_matrix:
        """TF-IDF rows of length one (or zero, where no term is known), of shape (len(texts), terms)."""
        if not self.vocabulary:
            return csr_matrix((len(texts), 0), dtype=np.float32)
        counter = CountVectorizer(analyzer=self.config.terms, vocabulary=self.vocabulary, dtype=np.float32)
        counts = counter.transform(texts)
        counts.data = 1 + np.log(counts.data)
        return normalize(counts.multiply(self.idf).tocsr())

    def embed(self, texts: Sequence[str]) -> Floats:
        """Rows of length one, or zero where no term is known."""
        latent: Floats = normalize(self.weights(texts) @ self.directions).astype(np.float32, copy=False)
        return latent

    def state(self) -> dict[str, Any]:
        """The terms."""
        return {"terms": self.vocabulary}

    def arrays(self) -> Arrays:
        """Weights and directions."""
        return {"idf": self.idf, "directions": self.directions}
