"""Baselines that a trained model has to beat: chance, and a linear map from audio to a bag of words.

The linear map is ridge regression in closed form (least squares, not contrastive): from the mean and standard
deviation over frames of a clip's features to the tf-idf bag of words of its caption, both centred; clips and captions
are then compared by the cosine in the space of words. It sees no word order and no time, and is all that a linear model
of frozen features can say about words.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgmcaps.training.data.sampler import Ints
from fgmcaps.training.features.cache import FeatureCache

Floats = npt.NDArray[np.float64]
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
_WORD = re.compile(r"[a-z0-9#/+']+")


def unit_rows(x: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays one."""
    out: Floats = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    return out


def random_scores(clips: int, captions: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Scores that know nothing, float32 [clips, captions]."""
    return np.random.default_rng(seed).standard_normal((clips, captions)).astype(np.float32)


def words(caption: str) -> list[str]:
    """Lower-case words; accidentals, slashes and inversions stay within a word (``f#m7``, ``6/8``)."""
    return _WORD.findall(caption.lower())


@dataclass(frozen=True)
class Vocabulary:
    """Words that occur in at least ``least`` captions, and how rare each is."""

    index: dict[str, int]
    idf: Floats

    @classmethod
    def of(cls, captions: Sequence[str], least: int = 3) -> "Vocabulary":
        """The vocabulary of training captions."""
        counts = Counter(word for caption in captions for word in set(words(caption)))
        kept = sorted(word for word, n in counts.items() if n >= least)
        idf = np.log((1 + len(captions)) / (1 + np.array([counts[w] for w in kept], dtype=float))) + 1
        return cls({word: i for i, word in enumerate(kept)}, idf)

    def bags(self, captions: Sequence[str]) -> Floats:
        """Unit rows of tf-idf, float64 [captions, words]; a caption of unknown words only is a row of zeros."""
        out = np.zeros((len(captions), len(self.index)))
        for row, caption in enumerate(captions):
            for word in words(caption):
                if word in self.index:
                    out[row, self.index[word]] += 1
        out *= self.idf
        return unit_rows(out)


@dataclass(frozen=True)
class LinearMap:
    """Ridge regression from clip features to bags of words."""

    vocabulary: Vocabulary
    feature_mean: Floats
    feature_scale: Floats
    bag_mean: Floats
    weights: Floats

    @classmethod
    def fit(cls, features: Floats, captions: Sequence[str], ridge: float) -> "LinearMap":
        """Fit on ``features`` float64 [N, d] and one caption each; ``ridge`` is relative to the number of clips."""
        vocabulary = Vocabulary.of(captions)
        bags = vocabulary.bags(captions)
        mean, scale = features.mean(0), np.maximum(features.std(0), 1e-6)
        x, y = (features - mean) / scale, bags - bags.mean(0)
        weights = np.linalg.solve(x.T @ x + ridge * len(x) * np.eye(x.shape[1]), x.T @ y)
        return cls(vocabulary, mean, scale, bags.mean(0), weights)

    def scores(self, features: Floats, captions: Sequence[str]) -> npt.NDArray[np.float32]:
        """Cosines of clips and captions, float32 [clips, captions]."""
        clips = ((features - self.feature_mean) / self.feature_scale) @ self.weights
        texts = self.vocabulary.bags(captions) - self.bag_mean
        scores: npt.NDArray[np.float32] = (unit_rows(clips) @ unit_rows(texts).T).astype(np.float32)
        return scores


def clip_features(cache: FeatureCache, rows: Ints) -> Floats:
    """Mean and standard deviation over frames, float64 [rows, 2 d]."""
    out = []
    for row in rows:
        frames = cache.audio(int(row)).double().numpy()
        out.append(np.concatenate([frames.mean(0), frames.std(0)]))
    return np.array(out)


def fit_linear_map(cache: FeatureCache, train: Ints, validation: Ints) -> tuple[LinearMap, float]:
    """The linear map on main captions with the ridge that ranks the validation clips best, and that ridge."""
    x, captions = clip_features(cache, train), [cache.caption(int(row)) for row in train]
    held, texts = clip_features(cache, validation), [cache.caption(int(row)) for row in validation]
    best: tuple[float, LinearMap, float] | None = None
    for ridge in RIDGES:
        fitted = LinearMap.fit(x, captions, ridge)
        scores = fitted.scores(held, texts)
        own = scores[np.arange(len(held)), np.arange(len(held))]
        value = float((1 / (1 + (scores > own).sum(0))).mean())  # mean reciprocal rank, text to audio
        if best is None or value > best[0]:
            best = (value, fitted, ridge)
    assert best is not None
    return best[1], best[2]
