"""JAMS files, read by the `jams` package."""

import hashlib

import jams
import pytest

from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.export.from_row import annotation_of_row
from fgmcaps.pipeline.export.registry import FORMATS
from fgmcaps.pipeline.export.run import export_dataset
from tests.factories import make_annotation, make_row


@pytest.mark.parametrize("number", range(8))
def test_a_row_comes_back_as_the_annotation_it_was_made_of(number):
    annotation, back = make_annotation(number), annotation_of_row(make_row(number, audio="none"))
    assert back.labels == annotation.labels
    assert (back.clip.clip_id, back.clip.start_s, back.clip.duration_s) == (
        annotation.clip.clip_id,
        annotation.clip.start_s,
        annotation.clip.duration_s,
    )
    assert back.clip.track.metadata == annotation.clip.track.metadata
    assert back.clip.track.source_path == annotation.clip.track.source_path


def test_every_clip_is_a_valid_document_with_its_audio_beside(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", FORMATS["jams"])
    rows = [row for _, row in iter_rows(three_splits, read_manifest(three_splits), ("id", "split", "caption", "audio"))]
    assert len(list((tmp_path / "x").rglob("*.jams"))) == len(rows) == 30
    for row in rows[::5]:
        path = tmp_path / "x" / row["split"] / row["id"][:2] / f"{row['id']}.jams"
        document = jams.load(str(path), strict=True)
        assert document.validate(strict=True)
        assert document.sandbox["caption"] == row["caption"]
        flac = path.with_suffix(".flac").read_bytes()
        assert hashlib.sha256(flac).digest() == hashlib.sha256(row["audio"]["bytes"]).digest()
