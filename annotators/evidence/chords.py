"""What a chord recogniser's posterior says beyond the labels it chose, reduced to major and minor triads. Pure.

Conventions
-----------
Classes 0 .. 11 = C .. B major, 12 .. 23 = C .. B minor, 24 = another chord (diminished, augmented, suspended, power),
25 = no chord. A label belongs to the triad that mir_eval's ``majmin`` compares: the pitch classes up to the fifth, so
``C:maj7`` and ``C:9/3`` are C major, ``C:hdim7`` is another chord.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.frames import rounded
from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.estimate import Detail
from fgmcaps.schemas.harte import QUALITIES, parse_chord, pitch_class

Floats = npt.NDArray[np.floating[Any]]

OTHER, NO_CHORD, CLASSES = 24, 25, 26
_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJMIN_LABELS = (*(f"{n}:maj" for n in _NAMES), *(f"{n}:min" for n in _NAMES), "X", "N")


def majmin_class(label: str) -> int:
    """Class 0 .. 25 of a Harte label. Raises ChordSyntaxError."""
    chord = parse_chord(label)
    if chord.root is None:
        return NO_CHORD if label == "N" else OTHER
    steps = set(QUALITIES[chord.quality])
    omitted = any(degree.startswith("*") for degree in chord.degrees)
    if omitted or not steps >= {0, 7} or not steps & {3, 4}:
        return OTHER
    return pitch_class(chord.root) + (0 if 4 in steps else 12)


def majmin_masses(posteriors: Floats, names: tuple[str, ...]) -> Floats:
    """Posterior [frames, vocabulary] of Harte labels -> [frames, 26], summed by :func:`majmin_class`."""
    return np.asarray(posteriors @ _classes_of(names))


@cache
def _classes_of(names: tuple[str, ...]) -> Floats:
    table = np.zeros((len(names), CLASSES), dtype=np.float32)
    table[np.arange(len(names)), [majmin_class(name) for name in names]] = 1.0
    return table


def span_evidence(masses: Floats, seconds_per_frame: float, spans: Sequence[ChordSpan]) -> dict[str, Detail]:
    """Evidence for each span of a chord sequence from masses [frames, 26].

    - ``majmin_mass``: mean mass of the class that the span's label belongs to;
    - ``runner_up``, ``runner_up_mass``: the class with the highest mean mass among the others;
    - ``entropy``: of the mean masses, in nats;
    - ``majmin_mean``: mean masses of the whole clip, 26 values; ``root_histogram``: the same by root, 12 from C.
    """
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
    return {
        "majmin_mass": rounded(own),
        "runner_up": labels,
        "runner_up_mass": rounded(others),
        "entropy": rounded(entropies),
        "majmin_mean": rounded(clip),
        "root_histogram": rounded(clip[:12] + clip[12:24]),
    }


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
