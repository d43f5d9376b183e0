"""Chordino itself, in its own environment."""

import numpy as np
import pytest

from fgmcaps.annotators.tools.chordino import ChordinoChords

RATE = 22_050
NOTES = {"C": 261.63, "D": 293.66, "E": 329.63, "F": 349.23, "G": 392.0, "A": 220.0, "B": 246.94, "G1": 98.0}

pytestmark = pytest.mark.slow


def tones(names, seconds):
    """float32[n]: harmonic tones, full scale below 1."""
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.1 * sum(np.sin(2 * np.pi * NOTES[n] * h * t) / h for n in names for h in (1, 2, 3))).astype(np.float32)


@pytest.fixture(scope="session")
def chordino():
    annotator = ChordinoChords()
    assert annotator.missing() == ()
    annotator.setup()
    return annotator


def test_chords_of_known_notes(chordino):
    clip = np.concatenate([tones("CEG", 4), tones("ACE", 3), tones(["G1", "G", "B", "D", "F"], 3)])
    estimate = chordino.annotate(clip, RATE)
    assert (estimate.annotator, estimate.version) == ("chordino", "0.1.3")
    spans = [s for s in estimate.value.spans if s.end - s.start > 0.6]
    assert [s.label for s in spans] == ["C:maj", "A:min", "G:7"]
    assert abs(spans[0].end - 4) < 0.25
    assert estimate.value.spans[0].start == 0
    assert estimate.value.spans[-1].end == 10
    assert estimate.confidence is None


def test_a_clip_does_not_depend_on_the_clips_before(chordino):
    clips = [tones("CEG", 3), tones("FAC", 10), np.zeros(RATE, np.float32), tones("ACE", 0.1)]
    first = [chordino.annotate(clip, RATE) for clip in clips]
    assert first == [chordino.annotate(clip, RATE) for clip in reversed(clips)][::-1]
    assert {s.label for s in first[2].value.spans} == {"N"}
