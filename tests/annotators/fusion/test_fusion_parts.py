"""Each fusion function by hand-calculated cases; chord theory against mir_eval."""

from math import exp

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators.fusion.chords import agreement, decide_chords, majmin, shortest_period, summarise, witnessed
from fgmcaps.annotators.fusion.key import chord_key_shares, chord_pitch_classes, decide_key
from fgmcaps.annotators.fusion.meter import BarVote, bar_vote, decide_meter, whole_bars
from fgmcaps.annotators.fusion.tempo import TempoVote, agree, decide_tempo, median_tempo, pulse, tempo_votes
from fgmcaps.annotators.settings import ChordSettings, KeySettings, MeterSettings, TempoSettings
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Key
from fgmcaps.schemas.harte import QUALITIES, pitch_class
from fgmcaps.schemas.music import KEYS

TEMPO = TempoSettings(weights={"a": 1.0, "b": 1.0, "c": 1.0}, doubt=0.5)
ROOTS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


# --- tempo


def test_median_tempo_is_musicbench_s() -> None:
    assert median_tempo([0.0, 0.5]) is None
    assert median_tempo([0.0, 0.5, 1.0, 2.0]) == pytest.approx(120.0)


def test_the_pulse_is_finer_than_the_frames_it_was_found_in() -> None:
    # 128 BPM on a grid of 20 ms: the median interval says 130.4 or 125.
    times = [round(round(i * 60 / 128 / 0.02) * 0.02, 4) for i in range(21)]
    found = pulse(times)
    assert found is not None
    assert found[0] == pytest.approx(128.0, abs=0.3)
    assert found[1] == 1.0
    assert abs(60 / np.median(np.diff(times)) - 128) > 2


def test_the_pulse_forgives_a_missed_beat_and_says_so() -> None:
    found = pulse([0.0, 0.5, 1.0, 2.0, 2.5, 3.0])
    assert found == (pytest.approx(120.0), pytest.approx(0.8))


@settings(deadline=None)
@given(st.floats(40, 240), st.floats(40, 240))
def test_agreement_is_symmetric_and_means_four_percent(a: float, b: float) -> None:
    assert agree(a, b, 0.04) == agree(b, a, 0.04)
    ratio = max(a, b) / min(a, b)
    if abs(ratio - 1.04) > 1e-6:
        assert agree(a, b, 0.04) == (ratio < 1.04)


def test_two_octaves_against_one() -> None:
    votes = [TempoVote("a", 160.0, 1.0), TempoVote("b", 80.0, 1.0), TempoVote("c", 80.5, 1.0)]
    decision = decide_tempo(votes, TEMPO)
    assert decision.value == 80.0
    # two exact votes and the third an octave off: (1 + 1 + 0.3) / (3 + 0.5)
    assert decision.confidence == pytest.approx(2.3 / 3.5, abs=1e-4)


def test_one_against_one_goes_to_the_moderate_tempo() -> None:
    votes = [TempoVote("a", 200.0, 1.0), TempoVote("b", 100.0, 1.0)]
    assert decide_tempo(votes, TEMPO).value == 100.0
    assert decide_tempo(votes[::-1], TEMPO).value == 100.0


def test_one_tool_alone_is_never_certain() -> None:
    assert decide_tempo([TempoVote("a", 120.0, 1.0)], TEMPO).confidence == pytest.approx(1 / 1.5, abs=1e-4)


def test_tools_that_disagree_are_withheld() -> None:
    decision = decide_tempo([TempoVote("a", 90.0, 1.0), TempoVote("b", 113.0, 1.0), TempoVote("c", 141.0, 1.0)], TEMPO)
    assert (decision.value, decision.reason) == (None, "tools_disagree")
    assert decision.confidence == pytest.approx(1 / 3.5, abs=1e-4)


def test_nonsense_tempi_do_not_win() -> None:
    assert decide_tempo([TempoVote("a", 738.0, 1.0)], TEMPO).value is None
    assert decide_tempo([], TEMPO).reason == "not_found"


def test_unsteady_beats_weigh_less() -> None:
    steady = Estimate("a", "1", "beats", BeatGrid((0.0, 0.5, 1.0, 1.5), (0,) * 4))
    unsteady = Estimate("b", "1", "beats", BeatGrid((0.0, 0.5, 1.0, 1.9, 2.2), (0,) * 5))
    weights = {vote.tool: vote.weight for vote in tempo_votes([steady, unsteady], TEMPO)}
    assert weights["a"] == 1.0
    assert weights["b"] < 1.0


# --- meter

METER = MeterSettings(weights={"a": 1.0, "b": 0.5}, doubt=0.5, loglik_scale=10.0)


def _grid(positions: list[int]) -> BeatGrid:
    return BeatGrid(tuple(0.5 * i for i in range(len(positions))), tuple(positions))


def test_bars_are_counted_between_downbeats() -> None:
    assert whole_bars(_grid([3, 4, 1, 2, 3, 4, 1, 2, 3, 1, 2])) == [4, 3]
    assert whole_bars(_grid([2, 3, 4])) == []


def test_likelihoods_split_a_tracker_s_vote() -> None:
    details = {"bar_lengths": [3.0, 4.0], "bar_loglik": [-120.0, -100.0]}
    vote = bar_vote(Estimate("a", "1", "beats", _grid([1, 2, 3, 4] * 4), None, details), METER)
    assert vote is not None
    assert vote.beats == 4
    assert vote.shares[4] == pytest.approx(1 / (1 + exp(-2)))
    assert sum(vote.shares.values()) == pytest.approx(1.0)


def test_a_likelier_bar_length_that_was_evidence_only_does_not_outvote_the_tool() -> None:
    details = {"bar_lengths": [3.0, 4.0, 7.0], "bar_loglik": [-120.0, -100.0, -90.0]}
    vote = bar_vote(Estimate("a", "1", "beats", _grid([1, 2, 3, 4] * 4), None, details), METER)
    assert vote is not None
    assert vote.shares[7] == vote.shares[4]
    assert vote.beats == 4


def test_uneven_bars_weaken_a_vote() -> None:
    vote = bar_vote(Estimate("a", "1", "beats", _grid([1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 1])), METER)
    assert vote is not None
    assert vote.shares == {3: pytest.approx(2 / 3)}


def test_two_in_a_bar_supports_four_in_part() -> None:
    votes = [BarVote("a", 1.0, {4: 1.0}), BarVote("b", 0.5, {2: 1.0})]
    decision = decide_meter(votes, METER)
    assert decision.value == 4
    assert decision.confidence == pytest.approx((1 + 0.25) / 2.0)


def test_a_bar_length_without_a_name_is_withheld() -> None:
    assert decide_meter([BarVote("a", 1.0, {1: 1.0})], METER).reason == "unusual"
    assert decide_meter([], METER).reason == "no_bars"


# --- key

KEYS_SETTINGS = KeySettings(weights={"k1": 1.0, "k2": 1.0}, chord_weight=1.0, doubt=0.5)


def _key(tool: str, name: str) -> Estimate:
    return Estimate(tool, "1", "key", Key(name), 0.9)


@pytest.mark.parametrize("quality", sorted(QUALITIES))
@pytest.mark.parametrize("root", ["C", "F#", "Bb"])
def test_chord_tones_equal_mir_eval(root: str, quality: str) -> None:
    label = f"{root}:{quality}"
    extended = {"9": "7", "maj9": "maj7", "min9": "min7", "11": "7", "maj11": "maj7", "min11": "min7"}
    extended |= {"13": "7", "maj13": "maj7", "min13": "min7"}
    number, bitmap, _ = mir_eval.chord.encode(f"{root}:{extended.get(quality, quality)}")
    want = {(number + i) % 12 for i in np.flatnonzero(bitmap)}
    got = set(chord_pitch_classes(label))
    assert want < got if quality in extended else want == got  # mir_eval knows no tones above the seventh


def test_added_and_left_out_degrees() -> None:
    assert set(chord_pitch_classes("G:sus4(b7)")) == {pitch_class(n) for n in ("G", "C", "D", "F")}
    assert set(chord_pitch_classes("C:maj(*5)")) == {0, 4}
    assert chord_pitch_classes("N") == {}
    assert chord_pitch_classes("C:maj")[0] == 2.0


@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_implies_its_key(tonic: int) -> None:
    def spans(*chords: tuple[int, str]) -> list[ChordSpan]:
        return [ChordSpan(i, i + 1, f"{ROOTS[(r + tonic) % 12]}:{q}", 0.9) for i, (r, q) in enumerate(chords)]

    major = chord_key_shares(spans((0, "maj"), (5, "maj"), (7, "7"), (0, "maj")), 20.0)
    minor = chord_key_shares(spans((0, "min"), (5, "min"), (7, "7"), (0, "min")), 20.0)
    assert major is not None
    assert minor is not None
    assert int(np.argmax(major)) == tonic
    assert int(np.argmax(minor)) == 12 + tonic
    assert major.sum() == pytest.approx(1.0)


def test_chords_decide_between_two_key_finders() -> None:
    spans = [ChordSpan(0, 3, "A:min", 0.9), ChordSpan(3, 6, "E:7", 0.9), ChordSpan(6, 10, "A:min", 0.9)]
    votes = [_key("k1", "C major"), _key("k2", "A minor")]
    decision = decide_key(votes, spans, KEYS_SETTINGS)
    assert decision.value == "A minor"
    without = decide_key(votes, [], KEYS_SETTINGS)
    assert (without.value, without.reason) == (None, "tools_disagree")
    assert without.confidence == pytest.approx(1 / 2.5)


def test_all_keys_by_name() -> None:
    for name in KEYS:
        decision = decide_key([_key("k1", name), _key("k2", name)], [], KEYS_SETTINGS)
        assert decision.value == name
        assert decision.confidence == pytest.approx(2 / 2.5)
    assert decide_key([], [], KEYS_SETTINGS).reason == "not_found"


# --- chords

CHORDS = ChordSettings(order=("lv", "mm"), agreement_weight=0.5, min_confidence=0.5)


@pytest.mark.parametrize("label", ["C:maj", "C:min", "F#:7", "Bb:min7", "E:maj7", "Ab:min/b3", "D:maj/5"])
def test_majmin_equals_mir_eval(label: str) -> None:
    root, kind = majmin(label) or (None, None)
    for other_kind in ("maj", "min"):
        for other_root, name in enumerate(ROOTS):
            same = mir_eval.chord.majmin([f"{name}:{other_kind}"], [label])[0] == 1.0
            sounding = label.replace("/b3", "").replace("/5", "")
            same_root = mir_eval.chord.majmin([f"{name}:{other_kind}"], [sounding])[0] == 1.0
            assert (root == other_root and kind == other_kind) == (same or same_root)
    assert majmin("N") is None


def test_agreement_is_shared_time() -> None:
    span = ChordSpan(2, 6, "A:min7", 0.8)
    others = [ChordSpan(0, 3, "A:min"), ChordSpan(3, 4, "C:maj"), ChordSpan(4, 9, "A:min")]
    assert agreement(span, others) == pytest.approx(3 / 4)
    assert agreement(span, []) == 0.0


def test_the_first_tool_gives_the_spans_and_the_second_bears_witness() -> None:
    first = Estimate(
        "lv", "1", "chords", ChordSequence((ChordSpan(0, 5, "C:maj7", 0.6), ChordSpan(5, 10, "G:maj", 0.6)))
    )
    second = Estimate("mm", "1", "chords", ChordSequence((ChordSpan(0, 10, "C:maj"),)))
    both = witnessed([second, first], CHORDS)
    assert [(s.label, s.confidence) for s in both] == [("C:maj7", 0.8), ("G:maj", 0.3)]
    alone = witnessed([first], CHORDS)
    assert [s.confidence for s in alone] == [0.6, 0.6]
    only_second = witnessed([second], CHORDS)
    assert [(s.label, s.confidence) for s in only_second] == [("C:maj", None)]


def test_mean_confidence_counts_sounding_time_only() -> None:
    spans = [ChordSpan(0, 4, "N", 0.0), ChordSpan(4, 7, "C:maj", 0.9), ChordSpan(7, 8, "G:maj", 0.5)]
    decision = decide_chords(spans, CHORDS)
    assert decision.value == tuple(spans)
    assert decision.confidence == pytest.approx((3 * 0.9 + 0.5) / 4)
    assert decide_chords([ChordSpan(0, 10, "N", 0.9)], CHORDS).reason == "not_found"
    assert decide_chords([ChordSpan(0, 10, "C:maj", 0.2)], CHORDS).reason == "low_confidence"


@pytest.mark.parametrize(
    ("labels", "summary"),
    [
        ("C F C F C F", "C F"),
        ("C F C F C", "C F"),
        ("C F C", "C F C"),
        ("C F G C F G", "C F G"),
        ("C C C", "C"),
        ("C F G A", "C F G A"),
        ("", ""),
    ],
)
def test_a_progression_is_reduced_to_its_period(labels: str, summary: str) -> None:
    spans = [ChordSpan(i, i + 1, f"{name}:maj", 0.9) for i, name in enumerate(labels.split())]
    assert summarise(spans, CHORDS) == tuple(f"{name}:maj" for name in summary.split())


def test_the_summary_leaves_out_silence_blips_doubt_and_inversions() -> None:
    spans = [
        ChordSpan(0, 1, "N", 0.9),
        ChordSpan(1, 3, "C:maj/3", 0.9),
        ChordSpan(3, 3.1, "G:maj", 0.9),
        ChordSpan(3.1, 4, "B:dim", 0.1),
        ChordSpan(4, 6, "C:maj", 0.9),
        ChordSpan(6, 9, "F:maj7", 0.9),
    ]
    assert summarise(spans, CHORDS) == ("C:maj", "F:maj7")
    many = [ChordSpan(i, i + 1, f"{ROOTS[i]}:maj", 0.9) for i in range(12)]
    assert len(summarise(many, CHORDS)) == 8


@settings(deadline=None)
@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=5), st.integers(2, 4), st.integers(0, 4))
def test_the_period_repeats_to_the_sequence(unit: list[str], times: int, tail: int) -> None:
    sequence = unit * times + unit[: min(tail, len(unit))]
    period = shortest_period(sequence)
    assert len(period) <= len(unit)
    assert (period * len(sequence))[: len(sequence)] == sequence
