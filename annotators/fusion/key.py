"""Key by votes of key finders and of the chords.

Several profiles on one chroma err together, so their agreement alone proves little; the chord sequence is a second,
independent witness.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.fusion.decision import Decision, share
from fgmcaps.annotators.kernels.key_profiles import key_correlations, shares
from fgmcaps.annotators.settings import KeySettings
from fgmcaps.schemas import ChordSpan, Estimate, Key
from fgmcaps.schemas.harte import QUALITIES, parse_chord, pitch_class
from fgmcaps.schemas.music import KEYS, key_index

Floats = npt.NDArray[np.float64]

_SCALE = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "9": 2, "10": 4, "11": 5, "12": 7, "13": 9, "8": 0}


def chord_pitch_classes(label: str) -> dict[int, float]:
    """Pitch classes of a Harte label with weights: 1 a tone, the root 1 more (it sounds strongest). ``N``: empty."""
    chord = parse_chord(label)
    if chord.root is None:
        return {}
    root = pitch_class(chord.root)
    tones = {(root + step) % 12: 1.0 for step in QUALITIES[chord.quality]}
    for degree in chord.degrees:
        tone = (root + _semitones(degree.lstrip("*"))) % 12
        if degree.startswith("*"):
            tones.pop(tone, None)
        else:
            tones[tone] = 1.0
    tones[root] = tones.get(root, 0.0) + 1.0
    return tones


def chord_key_shares(spans: Sequence[ChordSpan], sharpness: float) -> Floats | None:
    """Belief in each of the 24 keys from chord spans (seconds x confidence weighted); None without any chord."""
    histogram = np.zeros(12)
    for span in spans:
        weight = (span.end - span.start) * (1.0 if span.confidence is None else span.confidence)
        for tone, value in chord_pitch_classes(span.label).items():
            histogram[tone] += weight * value
    return shares(key_correlations(histogram), sharpness) if histogram.any() else None


def decide_key(estimates: Sequence[Estimate], spans: Sequence[ChordSpan], settings: KeySettings) -> Decision[str]:
    """Canonical key name. Reasons: ``not_found``, ``tools_disagree``, ``low_confidence``."""
    votes, total, named = np.zeros(24), 0.0, set()
    for estimate in estimates:
        weight = settings.weights.get(estimate.annotator, 0.0)
        if isinstance(estimate.value, Key) and estimate.value.name is not None and weight > 0:
            index = key_index(estimate.value.name)
            votes[index] += weight
            total += weight
            named.add(index)
    implied = chord_key_shares(spans, settings.chord_sharpness) if settings.chord_weight > 0 else None
    if implied is not None:
        votes += settings.chord_weight * implied
        total += settings.chord_weight
        named.add(int(np.argmax(np.round(implied, 9))))
    if not named:
        return Decision(None, None, "not_found")
    best = int(np.argmax(np.round(votes, 9)))
    confidence = share(float(votes[best]), total, settings.doubt)
    if confidence >= settings.min_confidence:
        return Decision(KEYS[best], confidence)
    return Decision(None, confidence, "tools_disagree" if len(named) > 1 else "low_confidence")


def _semitones(degree: str) -> int:
    number = degree.lstrip("#b")
    accidentals = degree[: len(degree) - len(number)]
    return _SCALE[number] + accidentals.count("#") - accidentals.count("b")
