"""Studies of a corpus, and tools alone as labels."""

import math

import pytest

from fgmcaps.annotators import FusionSettings, fuse, load_profile
from fgmcaps.annotators.evaluation import judge, labels_of_tool, study, unfiltered
from fgmcaps.annotators.evidence.tempi import TempoCandidates
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Key, Labels, Tempo
from fgmcaps.schemas.truth import ClipTruth


def _clip(bpm: float, confidence: float, kept: bool, group: str = "", meter: str = "4/4") -> object:
    full = Labels(tempo_bpm=bpm, tempo_confidence=confidence, time_signature="4/4", meter_confidence=0.5)
    return judge(full, full if kept else Labels(), ClipTruth(tempo_bpm=100.0, time_signature=meter, group=group))


def test_a_study_by_hand() -> None:
    clips = [_clip(100, 0.9, True), _clip(100, 0.8, True), _clip(50, 0.7, True, meter="3/4"), _clip(60, 0.2, False)]
    found = study(clips, rounds=50, bins=2)
    assert list(found) == ["tempo", "meter"]
    tempo = found["tempo"]
    assert (tempo.clips, tempo.accuracy, tempo.second) == (4, 0.5, 0.75)
    assert tempo.coverage_95 == 0.5
    assert tempo.kept_coverage == 0.75
    assert tempo.kept_accuracy == pytest.approx(2 / 3)
    assert tempo.error == pytest.approx((abs(0.85 - 1) + abs(0.45 - 0)) / 2)
    assert tempo.accuracy_interval[0] <= 0.5 <= tempo.accuracy_interval[1]
    assert found["meter"].by_class == {"3/4": (1, 0.0, 1.0), "4/4": (3, 1.0, pytest.approx(2 / 3))}


def test_labels_without_a_confidence_have_no_curve() -> None:
    full = Labels(tempo_bpm=100.0)
    found = study([judge(full, full, ClipTruth(tempo_bpm=100.0))], rounds=10)["tempo"]
    assert (found.accuracy, found.kept_accuracy) == (1.0, 1.0)
    assert math.isnan(found.coverage_95)
    assert math.isnan(found.error)
    assert found.confidence == ()


def test_a_tool_alone_is_taken_at_its_word() -> None:
    times = tuple(0.5 * i for i in range(12))
    grid = Estimate("madmom_downbeat", "1", "beats", BeatGrid(times, tuple(i % 3 + 1 for i in range(12))))
    labels = labels_of_tool(grid)
    assert (labels.tempo_bpm, labels.time_signature, labels.downbeats) == (120.0, "3/4", (0.0, 1.5, 3.0, 4.5))
    ticks = TempoCandidates(raw_bpm=90.0, ticks=(1.0, 2.0), tempo_bpm=(90.0,), tempo_share=(1.0,))
    tempo = labels_of_tool(Estimate("essentia_rhythm", "1", "tempo", Tempo(90.0), 3.0, ticks.to_details()))
    assert (tempo.tempo_bpm, tempo.tempo_confidence, tempo.beats) == (90.0, 1.0, (1.0, 2.0))
    assert labels_of_tool(Estimate("k", "1", "key", Key("C major"), 0.7)).key_confidence == 0.7
    spans = (ChordSpan(0, 1, "C:maj"),)
    assert labels_of_tool(Estimate("c", "1", "chords", ChordSequence(spans))).chords == spans


def test_without_the_filter_everything_is_named() -> None:
    times = tuple(0.5 * i for i in range(12))
    grid = Estimate("beatnet", "1", "beats", BeatGrid(times, (1,) * 12))
    doubtful = load_profile("permissive").fusion
    assert fuse([grid], doubtful).tempo_bpm is None
    assert fuse([grid], unfiltered(doubtful)).tempo_bpm is not None
    key = Estimate("essentia_key_edma", "1", "key", Key("C major"), 0.8)
    strict = load_profile("paper").with_overrides({"fusion.key.min_confidence": 0.9}).fusion
    assert fuse([key], strict).key is None
    assert fuse([key], unfiltered(strict)).key == "C major"
    assert unfiltered(FusionSettings()).downbeats.precision == 0
