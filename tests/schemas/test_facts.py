"""Facts are what passed the filter, rounded so that number and word agree."""

import pytest

from fgmcaps.schemas import Facts, Labels, TrackMetadata, facts_of


def test_nothing_known_is_nothing_to_say():
    assert facts_of(Labels(), TrackMetadata()).empty
    assert facts_of(Labels(tempo_confidence=0.9, beats=(0.5,)), TrackMetadata(title="x", artist="y")).empty


@pytest.mark.parametrize(("bpm", "rounded", "word"), [(109.4, 109, "Moderato"), (109.6, 110, "Allegro")])
def test_the_tempo_word_is_that_of_the_rounded_tempo(bpm, rounded, word):
    facts = facts_of(Labels(tempo_bpm=bpm), TrackMetadata())
    assert (facts.tempo_bpm, facts.tempo_marking) == (rounded, word)


def test_all_facts_of_a_full_row():
    labels = Labels(
        tempo_bpm=120.2, time_signature="3/4", beat_count=3, key="F# minor", chord_summary=("F#:min", "D:maj")
    )
    assert facts_of(labels, TrackMetadata(genre=("rock",), mood=("calm",))) == Facts(
        120, "Allegro", "3/4", "F# minor", ("F#:min", "D:maj"), ("rock",), ("calm",)
    )


@pytest.mark.parametrize("bpm", [0.4, 0, -120.0, 1e9, 999.6, float("nan"), float("inf"), float("-inf"), True])
def test_what_is_no_tempo_is_refused(bpm):
    with pytest.raises(ValueError, match=r"tempo_bpm .* is not a tempo of 1 to 999 BPM"):
        facts_of(Labels(tempo_bpm=bpm), TrackMetadata())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Labels(time_signature="4"), "time_signature '4'"),
        (Labels(time_signature="0/4"), "time_signature '0/4'"),
        (Labels(time_signature="4/3"), "time_signature '4/3'"),
        (Labels(key="H minor"), "H minor"),
        (Labels(key="C dorian"), "C dorian"),
        (Labels(chord_summary=("C:maj", "Cmaj7")), "chord_summary: 'Cmaj7'"),
    ],
)
def test_what_is_no_label_is_refused_by_name(labels, message):
    with pytest.raises(ValueError, match=message):
        facts_of(labels, TrackMetadata())


def test_the_slowest_and_the_fastest_tempo():
    assert [facts_of(Labels(tempo_bpm=bpm), TrackMetadata()).tempo_bpm for bpm in (0.6, 999.4)] == [1, 999]
