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
