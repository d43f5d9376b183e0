"""The published recipe, what holds for every fusion, and the beats that are felt."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.annotators import fuse, load_profile
from fgmcaps.annotators.evaluation import labels_of_tool
from fgmcaps.schemas import BeatGrid, ChordSequence, ChordSpan, Estimate, Fused, Key, Labels, from_json, to_json
from fgmcaps.schemas.meter import METERS

PAPER = load_profile("paper").fusion


def grid(tool: str, bpm: float, bar: int, seconds: float = 10.0, first: float = 0.2, start: int = 1) -> Estimate:
    """Beats at exactly ``bpm`` with bars of ``bar`` beats."""
    period, times = 60.0 / bpm, []
    while first + len(times) * period < seconds:
        times.append(round(first + len(times) * period, 4))
    positions = tuple((start - 1 + i) % bar + 1 for i in range(len(times)))
    return Estimate(tool, "1", "beats", BeatGrid(tuple(times), positions))


def chords(tool: str, *parts: tuple[float, float, str, float | None]) -> Estimate:
    return Estimate(tool, "1", "chords", ChordSequence(tuple(ChordSpan(*p) for p in parts)))


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


@pytest.mark.parametrize(
    ("written", "signature", "felt"), [(2, "2/4", 2), (4, "4/4", 4), (6, "6/8", 2), (7, "7/4", 7), (12, "12/8", 4)]
)
@pytest.mark.parametrize("start", [1, 2])
def test_tempo_beats_and_beat_count_are_of_the_felt_beat(written: int, signature: str, felt: int, start: int) -> None:
    tracked = grid("beatnet", 180, written, seconds=20.0, start=start)
    for labels in (fuse([tracked], PAPER), labels_of_tool(tracked)):
        assert (labels.time_signature, labels.beat_count) == (signature, felt)
        bpm = labels.tempo_bpm or 0.0
        assert bpm == pytest.approx(180 * felt / written, abs=0.05)
        assert labels.beats[0] == pytest.approx(0.2 if felt == written or start == 1 else 0.2 + 2 / 3, abs=0.001)
        assert [b - a for a, b in pairwise(labels.beats)] == pytest.approx(
            [60 / bpm] * (len(labels.beats) - 1), abs=0.01
        )
        assert set(labels.downbeats) <= set(labels.beats)
        assert labels.beats.index(labels.downbeats[1]) - labels.beats.index(labels.downbeats[0]) == felt


def test_bars_that_no_meter_is_written_with_have_none() -> None:
    for tracked in (grid("beatnet", 100, 1), grid("beatnet", 100, 9, seconds=20.0)):
        labels = fuse([tracked], PAPER)
        assert (labels.time_signature, labels.beat_count, labels.downbeats) == (None, None, ())
        assert labels.beats == tracked.value.times  # type: ignore[union-attr]
        assert "meter:no_bars" in labels.qc_flags


# --- every recipe


def test_the_order_of_estimates_is_nothing() -> None:
    want = to_json(fuse(_paper(0.8), PAPER))
    for order in permutations(_paper(0.8)):
        assert to_json(fuse(order, PAPER)) == want


def test_a_tool_that_appears_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="more than one estimate of beatnet"):
        fuse([grid("beatnet", 120, 4), grid("beatnet", 90, 3)], PAPER)


def test_nothing_in_nothing_out() -> None:
    labels = fuse([], PAPER)
    flags = ("tempo:not_found", "meter:no_tempo", "key:not_found", "chords:not_found")
    assert labels == Labels(qc_flags=flags, fused=Fused())


@st.composite
def _tracked(draw: st.DrawFn) -> Estimate:
    times, t = [], draw(st.floats(0, 1))
    for gap in draw(st.lists(st.floats(0.05, 2.5), max_size=40)):
        times.append(round(t, 4))
        t += gap
    positions = tuple(draw(st.integers(0, 12)) for _ in times)
    return Estimate("beatnet", "1", "beats", BeatGrid(tuple(times), positions))


@settings(deadline=None)
@given(_tracked())
def test_labels_of_any_beats_keep_their_invariants(estimate: Estimate) -> None:
    labels = fuse([estimate], PAPER)
    assert from_json(Labels, to_json(labels)) == labels
    flagged = {flag.split(":")[0] for flag in labels.qc_flags}
    assert (labels.tempo_bpm is None) == ("tempo" in flagged)
    assert (labels.time_signature is None) == (labels.beat_count is None) == ("meter" in flagged)
    assert labels.time_signature is None or METERS[labels.time_signature].felt == labels.beat_count
    assert set(labels.downbeats) <= set(labels.beats)
    if labels.tempo_bpm is None:
        assert labels.beats == labels.downbeats == ()
