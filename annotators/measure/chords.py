"""A chord recogniser's posterior, reduced to the classes of :mod:`fgmcaps.annotators.evidence.chord_classes`."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.chord_classes import CLASSES, MAJMIN_LABELS, majmin_class
from fgmcaps.annotators.evidence.chords import ChordPosteriors
from fgmcaps.schemas import ChordSpan

Floats = npt.NDArray[np.floating[Any]]


def majmin_masses(posteriors: Floats, names: tuple[str, ...]) -> Floats:
    """Posterior [frames, vocabulary] of Harte labels -> [frames, 26], summed by :func:`majmin_class`."""
    return np.asarray(posteriors @ _classes_of(names))


@cache
def _classes_of(names: tuple[str, ...]) -> Floats:
    table = np.zeros((len(names), CLASSES), dtype=np.float32)
    table[np.arange(len(names)), [majmin_class(name) for name in names]] = 1.0
    return table


def chord_posteriors(masses: Floats, seconds_per_frame: float, spans: Sequence[ChordSpan]) -> ChordPosteriors:
    """Posteriors of the spans of a chord sequence from masses [frames, 26]."""
    own: list[float] = []
    labels: list[str] = []
    others: list[float] = []
    entropies: list[float] = []
    for span in spans:
        first = min(round(span.start / seconds_per_frame), len(masses) - 1)
        mean = masses[first : max(first + 1, round(span.end / seconds_per_frame))].mean(axis=0)
        kind = majmin_class(span.label)
        rest = np.where(np.arange(CLASSES) == kind, -1.0, mean)
        best = int(np.argmax(rest))
        own.append(mean[kind])
        labels.append(MAJMIN_LABELS[best])
        others.append(mean[best])
        entropies.append(-np.sum(mean * np.log(np.maximum(mean, 1e-12))))
    clip = masses.mean(axis=0)
    return ChordPosteriors(
        majmin_mass=rounded(own),
        runner_up=tuple(labels),
        runner_up_mass=rounded(others),
        entropy=rounded(entropies),
        majmin_mean=rounded(clip),
        root_histogram=rounded(clip[:12] + clip[12:24]),
    )


def chain_marginals(unary: Floats, transition: Floats, initial: Floats, final: Floats) -> Floats:
    """Marginal posteriors [frames, states] of a linear-chain CRF with log potentials, by forward and backward sums.

    ``unary`` [frames, states], ``transition`` [states, states] (from, to), ``initial`` and ``final`` [states]; the
    first frame is reached by a transition from ``initial``, as in ``madmom.ml.crf``.
    """
    weights = np.exp(unary - unary.max(axis=1, keepdims=True), dtype=np.float64)
    step = np.exp(transition, dtype=np.float64)
    forward, backward = np.empty_like(weights), np.empty_like(weights)
    state = np.exp(initial - initial.max(), dtype=np.float64)
    for t, weight in enumerate(weights):
        state = (state @ step) * weight
        state /= state.sum()
        forward[t] = state
    state = np.exp(final - final.max(), dtype=np.float64)
    for t in range(len(weights) - 1, -1, -1):
        backward[t] = state
        state = step @ (state * weights[t])
        state /= state.sum()
    both = forward * backward
    return np.asarray(both / both.sum(axis=1, keepdims=True))
