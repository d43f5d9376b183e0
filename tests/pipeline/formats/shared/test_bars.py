"""Felt and written beats against values written down by hand."""

from dataclasses import replace

import pytest

from fgmcaps.pipeline.formats.shared.bars import felt_beats, meter_of_bar, written_beats, written_positions
from fgmcaps.schemas import Labels


@pytest.mark.parametrize(
    ("downbeats", "count", "expected"),
    [
        ((), 4, [None] * 6),
        ((1.0, 4.0), 3, [1, 2, 3, 1, 2, 3]),
        ((3.0,), 4, [3, 4, 1, 2, 3, 4]),
        ((3.0,), None, [None, None, 1, 2, 3, 4]),
        ((2.0, 4.0), 2, [2, 1, 2, 1, 2, 3]),
    ],
)
def test_positions_in_the_bar(downbeats, count, expected):
    labels = Labels(beats=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), downbeats=downbeats, beat_count=count)
    assert [beat.position for beat in felt_beats(labels)] == expected


SIX_EIGHT = Labels(beats=(1.0, 1.75, 2.5, 3.25), downbeats=(1.75, 3.25), beat_count=2, time_signature="6/8")


def test_six_written_beats_lie_between_the_felt_ones_and_go_on_to_the_end_of_the_clip():
    beats = written_beats(SIX_EIGHT, 3.6)
    assert [beat.time for beat in beats] == [1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.25, 3.5]
    assert [beat.position for beat in beats] == [4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2]
    assert [beat.position for beat in written_positions(SIX_EIGHT)] == [4, 1, 4, 1]


@pytest.mark.parametrize(
    "labels",
    [
        replace(SIX_EIGHT, downbeats=()),
        replace(SIX_EIGHT, beats=(1.75,)),
        replace(SIX_EIGHT, time_signature="2/4"),
        replace(SIX_EIGHT, time_signature=None, beat_count=None, downbeats=()),
        Labels(),
    ],
)
def test_nothing_is_put_between_beats_where_no_more_is_known(labels):
    assert written_beats(labels, 10.0) == felt_beats(labels)


@pytest.mark.parametrize(
    ("positions", "signature"),
    [
        ((1, 2, 3), "3/4"),
        ((1, 2), "2/4"),
        ((1, 4), "6/8"),
        ((1, 2, 3, 4, 5, 6), "6/8"),
        ((1, 4, 7, 10), "12/8"),
        (tuple(range(1, 13)), "12/8"),
        ((1,), None),
        ((1, 3), None),
        ((1, 2, 2), None),
        (tuple(range(1, 12)), None),
    ],
)
def test_a_whole_bar_shows_its_meter(positions, signature):
    meter = meter_of_bar(positions)
    assert (None if meter is None else meter.signature) == signature
