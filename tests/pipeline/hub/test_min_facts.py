"""Clips whose captions state too little stay behind in a push, are counted, and stay in the dataset."""

import dataclasses

import pytest

from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.pipeline.dataset.card import write_card
from fgmcaps.pipeline.dataset.facts_stated import facts_stated
from fgmcaps.pipeline.dataset.failures import read_failures, write_duplicates, write_failures
from fgmcaps.pipeline.dataset.label_cells import NO_FACTS
from fgmcaps.pipeline.dataset.manifest import read_manifest, write_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.pipeline.hub.prepare import PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.validation.validate import validate
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, Counts, Labels, Manifest, TrackMetadata, facts_of
from tests.factories import TOOLS, make_annotation, make_letters, rows_by_shard

SILENT = ("tempo:low_confidence", "meter:low_confidence", "key:low_confidence", "chords:low_confidence")
NOTHING = TrackMetadata(licence="CC0-1.0")


def row(number, labels=None, metadata=None, source="template"):
    annotation = make_annotation(number, artist=None)
    track = dataclasses.replace(annotation.clip.track, metadata=metadata or annotation.clip.track.metadata)
    clip = dataclasses.replace(annotation.clip, track=track)
    annotation = dataclasses.replace(annotation, clip=clip, labels=labels or annotation.labels)
    caption = write_caption(TemplateEngine(seed=0), clip.clip_id, facts_of(annotation.labels, track.metadata))
    return row_of(annotation, dataclasses.replace(caption, source=source), None, None, TOOLS)


@pytest.fixture
def dataset(tmp_path):
    """Twelve clips: three state nothing, one states its genre alone, and one without labels is imported."""
    silent = Labels(qc_flags=SILENT)
    rows = [row(n) for n in range(7)] + [row(n, silent, NOTHING) for n in (7, 8, 9)]
    rows.append(row(10, silent, dataclasses.replace(NOTHING, genre=("rock",))))
    rows.append(row(11, silent, NOTHING, "imported"))
    out = tmp_path / "out"
    shards = tuple(write_shard(out, split, i, 2, mine) for split, i, mine in rows_by_shard(rows, 2))
    write_failures(out, make_letters())
    write_duplicates(out, ())
    counts = Counts(15, 0, 15, 15, 12, 2, 1, {"decode": 1, "timeout": 1}, {"silence": 1})
    write_manifest(out, Manifest(FGMCAPS_SCHEMA_VERSION, "0" * 64, {}, counts, shards, TOOLS))
    write_card(out)
    return out


def published(dataset, folder, **settings):
    folder.mkdir()
    made = prepare(dataset, folder, PublishSettings("user/music", "http://hub/x", **settings), TransferProgress())
    return made, {r["id"]: r for _, r in iter_rows(folder, read_manifest(folder))}


def test_facts_are_counted():
    assert facts_stated(row(1, Labels(qc_flags=SILENT), NOTHING)) == 0
    assert facts_stated(row(1, Labels(qc_flags=SILENT), dataclasses.replace(NOTHING, genre=("rock",)))) == 1
    assert facts_stated(row(1, Labels(qc_flags=SILENT), dataclasses.replace(NOTHING, genre=("140 bpm techno",)))) == 0
    assert facts_stated(row(1)) >= 3
    assert facts_stated(row(1, Labels(qc_flags=SILENT), NOTHING, "imported")) is None


def test_a_caption_that_states_nothing_is_flagged():
    assert NO_FACTS in row(1, Labels(qc_flags=SILENT), NOTHING)["qc_flags"]
    assert NO_FACTS not in row(1, Labels(qc_flags=SILENT), NOTHING, "imported")["qc_flags"]
    assert NO_FACTS not in row(1)["qc_flags"]


def test_they_stay_behind_and_are_counted(dataset, tmp_path):
    before = read_manifest(dataset)
    made, rows = published(dataset, tmp_path / "p")
    counts = read_manifest(tmp_path / "p").counts
    assert validate(tmp_path / "p") == [] and validate(dataset) == []
    assert (made.left_out, made.publication.rows, len(rows)) == (3, 9, 9)
    assert counts.rows + counts.failed + counts.filtered == counts.clips_found == 15
    assert counts.filtered_by_reason == {"few_facts": 3, "silence": 1}
    letters = [letter for letter in read_failures(tmp_path / "p") if letter.reason == "few_facts"]
    assert len(letters) == 3 and not {letter.clip_id for letter in letters} & rows.keys()
    assert all("states 0 facts, and 1 are asked for" in letter.message for letter in letters)
    assert read_manifest(dataset) == before  # they stay in the dataset


@pytest.mark.parametrize(("least", "left"), [(0, 0), (1, 3), (2, 4)])
def test_how_much_is_the_users_choice(dataset, tmp_path, least, left):
    made, rows = published(dataset, tmp_path / "p", min_facts=least)
    assert (made.left_out, len(rows)) == (left, 12 - left)
    assert any(r["caption_source"] == "imported" for r in rows.values())


def test_equal_datasets_and_settings_give_equal_bytes(dataset, tmp_path):
    for name in ("a", "b"):
        published(dataset, tmp_path / name)
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            assert (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes() == path.read_bytes()
