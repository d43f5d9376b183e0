"""One test for every rule: break a good dataset in that way, and see that it is found, by name and place.

A tampered row is written by the real writer, and the manifest and the card are made to fit again, so that nothing but
the rule under test can notice.
"""

import dataclasses
import io
import json
import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from fgmcaps.common.files import write_atomically
from fgmcaps.common.fingerprints import sha256_of
from fgmcaps.pipeline.dataset.card import write_card
from fgmcaps.pipeline.dataset.manifest import manifest_bytes, read_manifest
from fgmcaps.pipeline.dataset.shards import parse_shard_name, write_shard
from fgmcaps.pipeline.validation.problem import MAX_PER_RULE
from fgmcaps.pipeline.validation.validate import summary, validate
from fgmcaps.schemas import ShardFile
from fgmcaps.schemas.arrow import arrow_schema
from tests.factories import build_dataset, make_row


def rows_of(out_dir, shard):
    return pq.read_table(out_dir / shard.path).to_pylist()


def publish(out_dir, **changes):
    """Write the manifest with ``changes`` over the old one, and a card that fits."""
    manifest = dataclasses.replace(read_manifest(out_dir), **changes)
    write_atomically(out_dir / "manifest.json", manifest_bytes(manifest))


def replace_shard(out_dir, shard, rows):
    """Write ``rows`` as that shard by the real writer and publish the result."""
    _, index, total = parse_shard_name(shard.path.rpartition("/")[2])
    new = write_shard(out_dir, shard.split, index, total, rows)
    shards = tuple(new if old.path == new.path else old for old in read_manifest(out_dir).shards)
    counts = read_manifest(out_dir).counts
    total_rows = sum(one.rows for one in shards)
    counts = dataclasses.replace(counts, clips_found=counts.clips_found + total_rows - counts.rows, rows=total_rows)
    publish(out_dir, shards=shards, counts=counts)
    write_card(out_dir)


def tamper(out_dir, change, number=1):
    """Change one row (the ``number``-th of the first shard) in place; returns its id before."""
    shard = read_manifest(out_dir).shards[0]
    rows = rows_of(out_dir, shard)
    name = rows[number]["id"]
    rows[number] = {**rows[number], **change(rows[number])}
    replace_shard(out_dir, shard, rows)
    return name


def rules(problems):
    return {problem.rule for problem in problems}


def test_a_good_dataset_has_no_problem(good_dataset):
    assert validate(good_dataset) == []


@pytest.mark.parametrize("audio", ["path", "none"])
def test_the_other_audio_policies_are_good_too(tmp_path, audio):
    build_dataset(tmp_path, audio=audio)
    assert validate(tmp_path) == []


def test_tampering_without_a_change_is_no_problem(dataset):
    tamper(dataset, lambda row: {})
    assert validate(dataset) == []


# --- one row -------------------------------------------------------------------------------------------------------


def flac(samples, rate=24_000, kind="FLAC", subtype="PCM_16"):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return {"bytes": buffer.getvalue(), "path": None}


ROW_TAMPERS = [
    ("null", "caption is null", lambda row: {"caption": None}),
    ("null", "beats is null", lambda row: {"beats": None}),
    ("null", "beats holds a null", lambda row: {"beats": [0.1, None]}),
    ("null", "source_path is empty", lambda row: {"source_path": ""}),
    ("null", "annotators is empty", lambda row: {"annotators": []}),
    ("null", "unknown is null", lambda row: {"key": ""}),
    ("id", "track_id is", lambda row: {"track_id": "0" * 16}),
    ("id", "the id says", lambda row: {"start_s": row["start_s"] + 0.5}),
    ("range", "tempo_bpm 0.5", lambda row: {"tempo_bpm": 0.5}),
    ("range", "tempo_bpm nan", lambda row: {"tempo_bpm": float("nan")}),
    ("range", "key_confidence 1.2", lambda row: {"key_confidence": 1.2}),
    ("range", "confidence -1.0 of chord", lambda row: {"chords": [{**c, "confidence": -1.0} for c in row["chords"]]}),
    ("range", "beat_count 99", lambda row: {"beat_count": 99}),
    ("range", "duration_s 30", lambda row: {"duration_s": 30.0}),
    ("range", "start_s nan", lambda row: {"start_s": float("nan")}),
    ("beats", "outside the clip", lambda row: {"beats": [*row["beats"], 10.5]}),
    ("beats", "do not ascend", lambda row: {"beats": row["beats"][::-1]}),
    ("beats", "a downbeat is not a beat", lambda row: {"downbeats": [0.123]}),
    ("tempo", "tempo_marking is 'Grave'", lambda row: {"tempo_marking": "Grave"}),
    ("tempo", "tempo_marking is", lambda row: {"tempo_bpm": None}),
    ("meter", "both or neither", lambda row: {"beat_count": None}),
    ("meter", "is none of", lambda row: {"time_signature": "11/16"}),
    ("meter", "beat_count is 5, but", lambda row: {"beat_count": 5}),
    ("meter", "6/8 has 2 felt beats", lambda row: {"time_signature": "6/8", "beat_count": 6}),
    ("key", "not a key name", lambda row: {"key": "D# major"}),
    ("chord-syntax", "unknown chord quality 'foo'", lambda row: {"chord_summary": ["C:foo"]}),
    ("chord-syntax", "not a Harte chord label: 'Hm'", lambda row: {"chords": [{**row["chords"][0], "label": "Hm"}]}),
    ("chords", "overlaps", lambda row: {"chords": [{**c, "start": 0.0} for c in row["chords"]]}),
    ("chords", "leaves the clip", lambda row: {"chords": [{**row["chords"][0], "end": 11.0}]}),
    ("chords", "not among chords", lambda row: {"chords": [{**c, "label": "C#:dim"} for c in row["chords"]]}),
    ("qc-flags", "flagged as withheld but has a value", lambda row: {"qc_flags": ["tempo:low_confidence"]}),
    ("qc-flags", "not attribute:reason", lambda row: {"qc_flags": ["bad"]}),
    ("caption", "objective caption breaks", lambda row: {"caption": row["caption"].replace(" ", " lovely ", 1)}),
    ("caption", "objective caption breaks", lambda row: {"caption": "A ten-second music clip."}),
    ("caption", "short caption breaks", lambda row: {"captions": [{"style": "short", "text": "Fast rock, 999 BPM."}]}),
    ("provenance", "neither llm nor template", lambda row: {"caption_source": "human"}),
    ("provenance", "caption_model is 'gpt'", lambda row: {"caption_model": "gpt"}),
    ("provenance", "style appears twice", lambda row: {"captions": [{"style": "objective", "text": row["caption"]}]}),
    ("provenance", "lacks its", lambda row: {"annotators": [{**row["annotators"][0], "licence": ""}]}),
    ("provenance", "not the manifest's", lambda row: {"annotators": [{"name": "x", "version": "1", "licence": "MIT"}]}),
    ("raw", "raw estimate of", lambda row: {"raw": [{**row["raw"][0], "value": "{"}]}),
    ("raw", "a value of beats under key", lambda row: {"raw": [{**row["raw"][0], "attribute": "key"}]}),
    ("audio", "cannot be decoded", lambda row: {"audio": {"bytes": b"fLaC" + b"\0" * 100, "path": None}}),
    ("audio", "0 bytes", lambda row: {"audio": {"bytes": b"", "path": None}}),
    ("audio", "5000000 bytes", lambda row: {"audio": {"bytes": b"\0" * 5_000_000, "path": None}}),
    ("audio", "239999 samples", lambda row: {"audio": flac(np.zeros(239_999))}),
    ("audio", "240001+ samples", lambda row: {"audio": flac(np.zeros(240_001))}),
    ("audio", "48000 Hz", lambda row: {"audio": flac(np.zeros(480_000), 48_000)}),
    ("audio", "2 channels", lambda row: {"audio": flac(np.zeros((240_000, 2)))}),
    ("audio", "WAV", lambda row: {"audio": flac(np.zeros(240_000), kind="WAV")}),
    ("audio", "policy none", lambda row: {"audio": None}),
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A dataset whose first shard has, at row 1, a row with every attribute."""
    out_dir = tmp_path_factory.mktemp("plain")
    build_dataset(out_dir, tracks=6, clips=1, shards=1)
    rows = rows_of(out_dir, read_manifest(out_dir).shards[0])
    assert not rows[1]["qc_flags"]
    assert rows[1]["chord_summary"]
    return out_dir


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "message", "change"), ROW_TAMPERS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_tampered_row_is_found(plain, tmp_path, rule, message, change):
    out_dir = shutil.copytree(plain, tmp_path / "out")
    name = tamper(out_dir, change)
    found = [problem for problem in validate(out_dir) if problem.rule == rule]
    assert any(message in problem.message for problem in found), validate(out_dir)
    assert {problem.row for problem in found} == {name}
    assert {problem.file for problem in found} == {read_manifest(out_dir).shards[0].path}


def test_a_value_that_is_gone_without_a_flag_is_found_twice(plain, tmp_path):
    out_dir = shutil.copytree(plain, tmp_path / "out")
    tamper(out_dir, lambda row: {"key": None})
    found = {problem.rule: problem.message for problem in validate(out_dir)}
    assert found["qc-flags"] == "key has no value and no flag says why"
    assert "caption" in found  # it still states the key
    assert len(found) == 2


# --- places, order, leaks ------------------------------------------------------------------------------------------


def raw_shard(out_dir, shard, rows, schema=None):
    """Write a shard past the checks of the writer, and publish it."""
    schema = schema or arrow_schema()
    pq.write_table(pa.Table.from_pylist(rows, schema), out_dir / shard.path)
    path = out_dir / shard.path
    new = ShardFile(shard.path, shard.split, len(rows), path.stat().st_size, sha256_of(path))
    shards = tuple(new if old.path == new.path else old for old in read_manifest(out_dir).shards)
    publish(out_dir, shards=shards)
    write_card(out_dir)


def test_a_row_of_another_split_is_found(dataset):
    shard = read_manifest(dataset).shards[0]
    rows = rows_of(dataset, shard)
    rows[0]["split"] = "elsewhere"
    raw_shard(dataset, shard, rows)
    assert rules(validate(dataset)) == {"split"}


def test_rows_out_of_order_and_twice_are_found(dataset):
    shard = read_manifest(dataset).shards[0]
    rows = rows_of(dataset, shard)
    raw_shard(dataset, shard, [rows[1], rows[0], *rows[2:]])
    assert rules(validate(dataset)) == {"id-order"}
    raw_shard(dataset, shard, [rows[0], rows[0], *rows[2:]])
    assert [problem.row for problem in validate(dataset) if problem.rule == "id-order"] == [rows[0]["id"]]


def test_an_id_that_is_none_is_found(dataset):
    shard = read_manifest(dataset).shards[0]
    rows = rows_of(dataset, shard)
    rows[0]["id"] = "0-not-an-id"
    raw_shard(dataset, shard, rows)
    assert any(p.rule == "id" and "not a clip id" in p.message for p in validate(dataset))


def test_a_row_in_the_wrong_shard_is_found(dataset):
    first, second = [shard for shard in read_manifest(dataset).shards if shard.split == "train"]
    ones, twos = rows_of(dataset, first), rows_of(dataset, second)
    replace_shard(dataset, first, [*ones, twos[0]])
    replace_shard(dataset, second, twos[1:])
    (problem,) = validate(dataset)
    assert (problem.rule, problem.row) == ("placement", twos[0]["id"])


def leak(out_dir, change):
    """Put a changed copy of a train row into the validation split, where it sorts, and return it."""
    shards = read_manifest(out_dir).shards
    row = rows_of(out_dir, shards[0])[0]
    target = next(s for s in shards if s.split == "validation" and s.path.split("-")[1] == shards[0].path.split("-")[1])
    copy = {**row, "split": "validation", **change}
    replace_shard(out_dir, target, sorted([*rows_of(out_dir, target), copy], key=lambda r: r["id"]))
    return copy


def test_a_track_in_two_splits_is_found(dataset):
    row = leak(dataset, {"artist": None})
    (problem,) = validate(dataset)
    assert (problem.rule, problem.row) == ("leak-track", row["id"])


@pytest.mark.parametrize("spelling", [str, str.upper, lambda artist: f"  {artist} "])
def test_an_artist_in_two_splits_is_found(dataset, spelling):
    artist = rows_of(dataset, read_manifest(dataset).shards[0])[0]["artist"]
    head = rows_of(dataset, read_manifest(dataset).shards[0])[0]["track_id"]
    other = f"{head[:-1]}{'0' if head[-1] != '0' else '1'}"
    row = leak(dataset, {"artist": spelling(artist), "track_id": other, "id": f"{other}-00000000", "start_s": 0.0})
    (problem,) = validate(dataset)
    assert (problem.rule, problem.row) == ("leak-artist", row["id"])


# --- files ---------------------------------------------------------------------------------------------------------


def test_no_manifest(dataset):
    (dataset / "manifest.json").unlink()
    (problem,) = validate(dataset)
    assert (problem.file, problem.rule) == ("manifest.json", "manifest")


def test_one_changed_byte(dataset):
    path = dataset / read_manifest(dataset).shards[0].path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "checksum" in rules(validate(dataset))


def test_a_missing_shard(dataset):
    (dataset / read_manifest(dataset).shards[0].path).unlink()
    assert rules(validate(dataset)) >= {"checksum", "parquet"}


def test_a_file_that_is_no_parquet(dataset):
    shard = read_manifest(dataset).shards[0]
    data = os.urandom(shard.bytes)
    (dataset / shard.path).write_bytes(data)
    problems = validate(dataset)
    assert [problem.file for problem in problems if problem.rule == "parquet"] == [shard.path]


@pytest.mark.parametrize(
    "name", ["train-00007-of-00009.parquet", ".train-00000-of-00002.parquet.abc.tmp", "sub/x.parquet"]
)
def test_an_unlisted_file(dataset, name):
    (dataset / "data" / name).parent.mkdir(exist_ok=True)
    (dataset / "data" / name).write_bytes(b"")
    (problem,) = validate(dataset)
    assert (problem.rule, problem.file) == ("unlisted-file", f"data/{name}")


def test_a_shard_under_a_wrong_name_or_split(dataset):
    shards = read_manifest(dataset).shards
    publish(dataset, shards=(dataclasses.replace(shards[0], split="test"), *shards[1:]))
    assert "shard-name" in rules(validate(dataset))
    (dataset / "data" / "x.parquet").write_bytes((dataset / shards[0].path).read_bytes())
    publish(dataset, shards=(dataclasses.replace(shards[0], path="data/x.parquet"), *shards[1:]))
    assert "shard-name" in rules(validate(dataset))


def test_a_set_of_shards_with_a_gap(dataset):
    manifest = read_manifest(dataset)
    (dataset / manifest.shards[0].path).unlink()
    publish(dataset, shards=manifest.shards[1:])
    assert "shard-set" in rules(validate(dataset))


def test_a_shard_path_that_leaves_the_folder(dataset):
    shards = read_manifest(dataset).shards
    publish(dataset, shards=(dataclasses.replace(shards[0], path="../x.parquet"), *shards[1:]))
    assert rules(validate(dataset)) >= {"checksum", "shard-name"}


def drop_column(table):
    return table.drop_columns(["raw"])


def change_type(table):
    return table.set_column(table.schema.get_field_index("beat_count"), "beat_count", table["beat_count"].cast("int64"))


def change_metadata(key, value):
    return lambda table: table.replace_schema_metadata({**table.schema.metadata, key: value})


@pytest.mark.parametrize(
    ("change", "rule", "message"),
    [
        (drop_column, "schema", "missing columns ['raw']"),
        (change_type, "schema", "other types ['beat_count']"),
        (change_metadata(b"fgmcaps_schema_version", b"9.9"), "schema-version", "version 9.9"),
        (change_metadata(b"huggingface", b"{}"), "schema", "huggingface"),
        (change_metadata(b"huggingface", b"{"), "schema", "huggingface"),
    ],
)
def test_another_schema(dataset, change, rule, message):
    shard = read_manifest(dataset).shards[0]
    path = dataset / shard.path
    pq.write_table(change(pq.read_table(path)), path)
    new = dataclasses.replace(shard, bytes=path.stat().st_size, sha256=sha256_of(path))
    publish(dataset, shards=(new, *read_manifest(dataset).shards[1:]))
    (problem,) = validate(dataset)
    assert (problem.file, problem.rule) == (shard.path, rule)
    assert message in problem.message


# --- counts, dead letters, card --------------------------------------------------------------------------------------


def test_rows_that_the_manifest_does_not_count(dataset):
    shards = read_manifest(dataset).shards
    publish(dataset, shards=(dataclasses.replace(shards[0], rows=shards[0].rows + 1), *shards[1:]))
    assert rules(validate(dataset)) >= {"row-count", "counts"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clips_found": 28}, "28 clips found"),
        ({"files": 99}, "99 files"),
        ({"rows": 23, "clips_found": 26}, "23 rows counted"),
        ({"failed_by_reason": {"decode": 2, "timeout": 1}}, "failed_by_reason"),
        ({"filtered_by_reason": {}}, "filtered_by_reason"),
    ],
)
def test_counts_that_do_not_add_up(dataset, change, message):
    publish(dataset, counts=dataclasses.replace(read_manifest(dataset).counts, **change))
    assert any(problem.rule == "counts" and message in problem.message for problem in validate(dataset))


@pytest.mark.parametrize("text", ["", "{}\n", "not json\n"])
def test_dead_letters_that_are_lost_or_broken(dataset, text):
    (dataset / "failures" / "failed.jsonl").write_text(text)
    assert rules(validate(dataset)) == {"failures"}


@pytest.mark.parametrize("text", [None, "", "# no front matter\n", "---\nconfigs: 3\n---\n", "---\n[: bad yaml\n---\n"])
def test_a_card_that_is_missing_or_broken(dataset, text):
    if text is None:
        (dataset / "README.md").unlink()
    else:
        (dataset / "README.md").write_text(text)
    (problem,) = validate(dataset)
    assert (problem.file, problem.rule) == ("README.md", "card")


def test_a_card_with_another_size(dataset):
    card = dataset / "README.md"
    card.write_text(card.read_text().replace("num_examples: 8", "num_examples: 9"))
    (problem,) = validate(dataset)
    assert problem.rule == "card"


# --- the tool itself -------------------------------------------------------------------------------------------------


def test_audio_is_read_as_often_as_asked(plain, tmp_path):
    out_dir = shutil.copytree(plain, tmp_path / "out")
    tamper(out_dir, lambda row: {"audio": {"bytes": b"bad", "path": None}})
    assert rules(validate(out_dir, audio_every=1)) == {"audio"}
    assert validate(out_dir, audio_every=0) == []
    with pytest.raises(ValueError, match="audio_every"):
        validate(out_dir, audio_every=-1)


def test_problems_are_bounded_and_counted(tmp_path):
    rows = [make_row(0, clip=clip, audio="none") for clip in range(MAX_PER_RULE + 20)]
    build_dataset(tmp_path, tracks=1, clips=1, shards=1, audio="none")
    shard = read_manifest(tmp_path).shards[0]
    replace_shard(tmp_path, shard, [{**row, "key_confidence": 2.0} for row in rows])
    problems = validate(tmp_path)
    assert len([problem for problem in problems if problem.row]) == MAX_PER_RULE
    assert problems[-1].message.startswith("20 more")
    assert summary(problems) == {"range": MAX_PER_RULE + 1}


def test_a_problem_names_file_row_and_rule(plain, tmp_path):
    out_dir = shutil.copytree(plain, tmp_path / "out")
    name = tamper(out_dir, lambda row: {"key_confidence": 2.0})
    (problem,) = validate(out_dir)
    assert str(problem) == f"{problem.file}: row {name}: [range] key_confidence 2.0 is outside 0 .. 1"
    json.dumps(dataclasses.asdict(problem))
