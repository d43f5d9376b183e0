"""What fusion found, once the whole track is known."""

from dataclasses import replace

import pytest

from fgmcaps.annotators.fusion.track.beats import beats_at
from fgmcaps.annotators.fusion.track.context import TrackClip, in_context
from fgmcaps.schemas import Fused, NamedAlternative, TempoAlternative

BEATS = tuple(round(0.5 * i, 4) for i in range(20))


def found(bpm=120.0, tempo=0.8, key="C major", sure=0.6, meter="4/4", **changes):
    step = 60.0 / bpm
    beats = tuple(round(step * i, 4) for i in range(int(10 / step)))
    fused = Fused(
        tempo_bpm=bpm,
        tempo_probability=tempo,
        tempo_alternatives=(TempoAlternative(bpm / 2, round(0.9 * (1 - tempo), 4)),),
        beats=beats,
        downbeats=beats[::4],
        downbeats_probability=0.9,
        time_signature=meter,
        meter_probability=0.8,
        meter_alternatives=(NamedAlternative("2/4", 0.15),),
        key=key,
        key_probability=sure,
        key_alternatives=(NamedAlternative("G major", 0.2), NamedAlternative("A minor", 0.1)),
    )
    return replace(fused, **changes)


def track(*fused):
    return [TrackClip(10.0 * i, 10.0, f) for i, f in enumerate(fused)]


def test_a_track_of_one_clip_stays_as_it_is():
    assert in_context(track(found())) == [found()]


def test_the_order_of_the_clips_does_not_matter():
    clips = track(found(), found(key="G major", sure=0.4), found(), found(bpm=60, tempo=0.5))
    turned = in_context(clips[::-1])
    assert turned[::-1] == in_context(clips)


def test_clips_of_one_key_agree_and_are_surer():
    odd = found(key="G major", sure=0.4, key_alternatives=(NamedAlternative("C major", 0.35),))
    after = in_context(track(*[found()] * 4, odd, *[found()] * 4))
    assert {f.key for f in after} == {"C major"}
    assert after[0].key_probability > 0.6
    assert after[4].key_alternatives[0].value == "G major"


def test_a_key_change_stays_visible():
    other = found(key="Eb major", sure=0.7, key_alternatives=(NamedAlternative("Bb major", 0.2),))
    after = in_context(track(*[found()] * 5, *[other] * 5))
    assert [f.key for f in after] == ["C major"] * 5 + ["Eb major"] * 5


def test_a_tempo_change_stays_visible():
    after = in_context(track(*[found(bpm=100)] * 5, *[found(bpm=131)] * 5))
    assert [f.tempo_bpm for f in after] == [100] * 5 + [131] * 5


def test_a_clip_counted_twice_as_fast_follows_its_track_with_every_second_beat():
    fast = found(bpm=120, tempo=0.5, tempo_alternatives=(TempoAlternative(60.2, 0.45),))
    after = in_context(track(*[found(bpm=60)] * 4, fast, *[found(bpm=60)] * 4))
    assert after[4].tempo_bpm == 60.2
    assert after[4].beats == fast.beats[::2]
    assert after[4].downbeats == ()
    assert after[4].downbeats_probability is None
    assert after[0].downbeats == found(bpm=60).downbeats


def test_a_clip_is_given_no_tempo_that_it_does_not_name():
    other = found(bpm=97, tempo=0.5, tempo_alternatives=())
    after = in_context(track(*[found(bpm=60)] * 5, other))
    assert after[5].tempo_bpm == 97
    assert after[5].tempo_probability < 0.5


def test_probabilities_of_a_value_and_its_alternatives_are_at_most_one():
    for fused in in_context(track(found(), found(key="A minor", sure=0.3), found(bpm=61, tempo=0.4))):
        assert fused.key_probability + sum(a.probability for a in fused.key_alternatives) <= 1.001
        assert fused.tempo_probability + sum(a.probability for a in fused.tempo_alternatives) <= 1.001
        assert fused.meter_probability + sum(a.probability for a in fused.meter_alternatives) <= 1.001


def test_clips_without_beats_or_key_stay_without():
    silent = Fused()
    after = in_context(track(found(), silent, found()))
    assert after[1] == silent


def test_a_meter_that_becomes_another_has_no_bars():
    odd = found(meter="2/4", meter_alternatives=(NamedAlternative("4/4", 0.45),), meter_probability=0.5)
    after = in_context(track(*[found()] * 4, odd))
    assert after[4].time_signature == "4/4"
    assert after[4].downbeats == ()


@pytest.mark.parametrize(
    ("ratio", "beats"),
    [(2.0, 39), (3.0, 58), (0.5, 10), (1 / 3, 7)],
)
def test_beats_are_regrouped(ratio, beats):
    found = beats_at(BEATS, BEATS[::4], ratio)
    assert len(found) == beats
    assert found[0] == 0.0


def test_of_two_ways_to_take_every_second_beat_the_one_with_downbeats_is_taken():
    assert beats_at(BEATS, BEATS[1::4], 0.5) == BEATS[1::2]


def test_beats_of_another_ratio_are_not_made_up():
    assert beats_at(BEATS, (), 1.5) is None
    assert beats_at((0.1,), (), 2.0) is None
