"""Contracts in and out of JSON."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.schemas import (
    Annotation,
    BeatGrid,
    Caption,
    ChordSequence,
    ChordSpan,
    ContractError,
    DeadLetter,
    Estimate,
    Key,
    Manifest,
    Tempo,
    from_dict,
    from_json,
    to_dict,
    to_json,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.lists(st.floats(0, 10), max_size=8, unique=True).map(sorted).map(tuple)
GRIDS = TIMES.flatmap(
    lambda t: st.builds(BeatGrid, st.just(t), st.lists(st.integers(0, 12), min_size=len(t), max_size=len(t)).map(tuple))
)
SPANS = st.builds(ChordSpan, FINITE, FINITE, TEXT, st.none() | FINITE)
VALUES = st.one_of(
    GRIDS,
    st.builds(Tempo, st.none() | FINITE),
    st.builds(Key, st.none() | TEXT),
    st.builds(ChordSequence, st.lists(SPANS, max_size=3).map(tuple)),
)
DETAILS = st.dictionaries(
    TEXT, FINITE | TEXT | st.lists(FINITE, max_size=3) | st.lists(st.lists(FINITE, max_size=2), min_size=1, max_size=2)
)
ESTIMATES = st.builds(
    Estimate, TEXT, TEXT, st.sampled_from(["beats", "tempo", "key", "chords"]), VALUES, st.none() | FINITE, DETAILS
)


@settings(max_examples=200, deadline=None)
@given(ESTIMATES)
def test_estimates_come_back(estimate):
    text = to_json(estimate)
    assert "\n" not in text
    assert from_json(Estimate, text) == estimate
    assert from_dict(Estimate, to_dict(estimate)) == estimate


def test_annotations_captions_letters_come_back():
    from tests.factories import make_annotation, make_caption, make_letters

    annotation = make_annotation(3)
    assert from_json(Annotation, to_json(annotation)) == annotation
    assert from_json(Caption, to_json(make_caption(annotation))) == make_caption(annotation)
    for letter in make_letters():
        assert from_json(DeadLetter, to_json(letter)) == letter


def test_equal_values_give_equal_bytes():
    assert to_json(Tempo(120.0)) == '{"bpm":120.0,"kind":"tempo"}'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "value"),
        ("null", "value"),
        ('{"track_id": 1}', "track_id"),
        (
            '{"track_id":"t","clip_id":null,"source_path":"p","stage":"s","kind":"lost","reason":"r","error_type":"e","message":"m"}',
            "kind",
        ),
    ],
)
def test_errors_name_type_and_field(text, field):
    with pytest.raises(ContractError, match=f"not a valid DeadLetter: {field}"):
        from_json(DeadLetter, text)


def test_a_deep_document_is_refused_not_followed():
    with pytest.raises(ContractError):
        from_json(Manifest, "[" * 100_000)


def test_a_beat_grid_checks_itself_on_the_way_in():
    with pytest.raises(ContractError, match="ascend"):
        from_json(BeatGrid, '{"times":[1.0,0.5],"positions":[1,2]}')
    with pytest.raises(ContractError, match="2 beats but 1 bar positions"):
        from_json(BeatGrid, '{"times":[0.5,1.0],"positions":[1]}')


def test_downbeats_are_the_beats_numbered_one():
    assert BeatGrid((0.5, 1.0, 1.5, 2.0), (3, 1, 2, 1)).downbeats == (1.0, 2.0)
