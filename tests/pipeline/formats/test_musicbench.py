"""MusicBench: its published layout to a dataset that `fgmcaps validate` accepts, and our rows to its rows, against
values written down by hand."""

import hashlib
import io
import json

import numpy as np
import pytest
import soundfile

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.dataset.failures import read_failures
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.formats.base import ImportOptions
from fgmcaps.pipeline.formats.musicbench import (
    base_name,
    caption_texts,
    file_of_split,
    musicbench_row,
    open_musicbench,
    wav_of,
)
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from fgmcaps.pipeline.formats.run.import_dataset import import_dataset
from fgmcaps.pipeline.validation.validate import validate
from tests.factories import build_dataset, make_row
from tests.pipeline.formats.layouts import AUDIO, TESTED, TRAINED, UNDERSCORED, musicbench, row, wav, write_rows

COLUMNS = [
    *("dataset", "location", "main_caption", "alt_caption", "prompt_aug", "prompt_ch", "prompt_bt", "prompt_bpm"),
    *("prompt_key", "beats", "bpm", "chords", "chords_time", "key", "keyprob", "is_audioset_eval_mcaps"),
]


def test_a_row_with_everything():
    row = make_row(4, audio="none")
    row |= {"beats": [0.5, 1.0, 1.5, 2.0, 2.5], "downbeats": [1.0], "beat_count": 4, "time_signature": "4/4"}
    row |= {"key": "F# minor", "key_confidence": 0.75, "tempo_bpm": 98.25}
    row["chords"] = [
        {"start": 0.0, "end": 2.0, "label": "N", "confidence": None},
        {"start": 2.0, "end": 4.0, "label": "A:min7", "confidence": None},
        {"start": 4.0, "end": 10.0, "label": "G:maj/5", "confidence": None},
    ]
    got = musicbench_row(row, "data/x.wav")
    assert list(got) == COLUMNS
    assert got["main_caption"] == row["caption"]
    assert got["beats"] == [[0.5, 1.0, 1.5, 2.0, 2.5], [4, 1, 2, 3, 4]]
    assert (got["bpm"], got["prompt_bpm"]) == (98.25, "The tempo is 98.2 BPM.")
    assert (got["chords"], got["chords_time"]) == (["Am7", "G/D"], [2.0, 4.0])
    assert got["prompt_ch"] == "The chords are Am7, G/D."
    assert (got["key"], got["keyprob"], got["prompt_key"]) == (["F#", "minor"], [0.75], "The key is F# minor.")
    assert got["prompt_bt"] == "There are 4 beats in a bar."


def test_six_eight_is_written_in_eighth_notes():
    row = make_row(4, audio="none") | {"time_signature": "6/8", "beat_count": 2, "tempo_bpm": 60.0}
    got = musicbench_row(row | {"beats": [7.0, 8.0, 9.0], "downbeats": [7.0, 9.0], "duration_s": 9.5}, "x")
    assert got["beats"][0] == pytest.approx([7, 7.333333, 7.666667, 8, 8.333333, 8.666667, 9, 9.333333])
    assert got["beats"][1] == [1, 2, 3, 4, 5, 6, 1, 2]
    assert (got["bpm"], got["prompt_bpm"]) == (180.0, "The tempo is 180.0 BPM in eighth notes.")
    assert got["prompt_bt"] == "There are 6 beats in a bar."


@pytest.mark.parametrize(
    ("number", "empty", "prompt"),
    [(0, "bpm", "prompt_bpm"), (1, None, "prompt_bt"), (2, "key", "prompt_key"), (3, "chords", "prompt_ch")],
)
def test_what_was_withheld_is_not_said(number, empty, prompt):
    got = musicbench_row(make_row(number, audio="none"), "x")
    assert got[prompt] == ""
    if empty:
        assert not got[empty]
    assert sum(bool(got[name]) for name in ("prompt_ch", "prompt_bt", "prompt_bpm", "prompt_key")) == 3


def test_wav_holds_the_same_samples():
    samples = (np.sin(np.arange(24_000) / 20) * 0.9).astype(np.float32)
    flac = encode_flac(samples, 24_000)
    wav = wav_of(flac)
    assert soundfile.info(io.BytesIO(wav)).subtype == "PCM_16"
    expected, got = (soundfile.read(io.BytesIO(data), dtype="int16")[0] for data in (flac, wav))
    assert np.array_equal(expected, got)


def test_files_and_locations(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", EXPORTERS["musicbench"])
    assert file_of_split("test") == "MusicBench_test_B.json"
    sizes = {}
    for split in ("train", "validation", "test"):
        rows = [json.loads(line) for line in (tmp_path / "x" / file_of_split(split)).read_text().splitlines()]
        sizes[split] = len(rows)
        assert all((tmp_path / "x" / row["location"]).is_file() for row in rows)
    assert sizes == {"train": 18, "validation": 8, "test": 4}


def test_without_audio_the_location_is_the_source_path(silent_dataset, tmp_path):
    export_dataset(silent_dataset, tmp_path / "x", EXPORTERS["musicbench"])
    first = json.loads((tmp_path / "x" / "MusicBench_train.json").read_text().splitlines()[0])
    assert first["location"].startswith("album ")


def imported(source, out, **options):
    manifest = import_dataset(open_musicbench(source, ImportOptions(**options)), out)
    assert validate(out) == []
    return manifest, {r["source_path"]: r for _, r in iter_rows(out, manifest)}


def reasons(out):
    return {letter.source_path: letter.reason for letter in read_failures(out)}


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (f"data/{TRAINED}.wav", (TRAINED, False)),
        (f"data_aug2/{TRAINED}_10.wav", (TRAINED, True)),
        (f"data/{UNDERSCORED}.wav", (UNDERSCORED, False)),
        (f"data_aug2/{UNDERSCORED}_3.wav", (UNDERSCORED, True)),
        ("data/0d0330fa83c91453-00000000.wav", ("0d0330fa83c91453-00000000", False)),
    ],
)
def test_a_copy_is_known_by_its_name_even_of_an_id_that_ends_like_one(location, expected):
    assert len(UNDERSCORED) == 11 and UNDERSCORED.endswith("_1")
    assert base_name(location) == expected


@pytest.mark.parametrize("packed", [True, False])
def test_recordings_are_imported_once_and_copies_dropped(tmp_path, packed):
    manifest, rows = imported(musicbench(tmp_path / "mb", packed), tmp_path / "out")
    assert {path: r["split"] for path, r in rows.items()} == {
        f"data/{TRAINED}.wav": "train",
        f"data/{UNDERSCORED}.wav": "train",
        f"data/{TESTED}.wav": "test",
    }
    assert reasons(tmp_path / "out") == {
        f"data_aug2/{TRAINED}_1.wav": "augmented_copy",
        f"data_aug2/{TRAINED}_10.wav": "augmented_copy",
        f"data_aug2/{TESTED}_2.wav": "copy_of_test_clip",
        f"data_aug2/{UNDERSCORED}_3.wav": "augmented_copy",
    }
    assert (manifest.counts.clips_found, manifest.counts.rows, manifest.counts.filtered) == (7, 3, 4)


def test_captions_and_labels_are_taken_over_word_for_word(tmp_path):
    _, rows = imported(musicbench(tmp_path / "mb"), tmp_path / "out")
    got = rows[f"data/{TESTED}.wav"]
    assert (got["caption"], got["caption_source"]) == ("A loud track. The key is F# minor.", "imported")
    assert got["captions"] == [{"style": "alt", "text": "A loud track."}]
    assert (got["tempo_bpm"], got["tempo_marking"], got["key"]) == (120.0, "Allegro", "F# minor")
    assert got["track_id"] == hashlib.sha256(AUDIO[f"data/{TESTED}.wav"]).hexdigest()[:16]
    assert got["annotators"] == [{"name": "MusicBench", "version": "2023", "licence": "CC-BY-SA-3.0"}]
    assert got["licence"] is None, "the dataset's licence is not the recording's"
    assert (got["start_s"], got["duration_s"]) == (0.0, 10.0)


def test_the_other_variant(tmp_path):
    _, rows = imported(musicbench(tmp_path / "mb"), tmp_path / "out", variant="A", licence="CC0-1.0")
    got = rows[f"data/{TESTED}.wav"]
    assert (got["caption"], got["licence"]) == ("A loud track.", "CC0-1.0")
    assert got["captions"] == [{"style": "test_B", "text": "A loud track. The key is F# minor."}]


def test_kept_copies_are_of_training_recordings_only(tmp_path):
    manifest, rows = imported(musicbench(tmp_path / "mb"), tmp_path / "out", keep_copies=True)
    assert {path for path, r in rows.items() if r["split"] == "train"} == {path for path in AUDIO if TESTED not in path}
    assert rows[f"data_aug2/{TRAINED}_1.wav"]["tempo_bpm"] == 112.0
    assert reasons(tmp_path / "out") == {f"data_aug2/{TESTED}_2.wav": "copy_of_test_clip"}
    assert manifest.counts.rows == 6


def test_the_same_bytes_under_two_names_stay_in_the_test_split(tmp_path):
    source = musicbench(tmp_path / "mb", packed=False)
    for name in (TRAINED, UNDERSCORED):
        (source / "datashare/data" / f"{name}.wav").write_bytes(AUDIO[f"data/{TESTED}.wav"])
    manifest, rows = imported(source, tmp_path / "out")
    assert list(rows) == [f"data/{TESTED}.wav"]
    assert (manifest.counts.rows, manifest.counts.duplicates) == (1, 2)


def test_every_row_is_accounted_for_where_names_end_alike_and_repeat(tmp_path):
    source = tmp_path / "mb"
    source.mkdir()
    places = ["x/data/1.wav", "y/data/1.wav", "data/1.wav", "z/data/1.wav"]
    for number, place in enumerate(places[:3]):
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        (source / place).write_bytes(wav(number + 30))
    write_rows(source / "MusicBench_train.json", [row(place, f"Caption of {place}.") for place in places])
    tested = [row("./test/2.wav", "One."), row("test/2.wav", "Again.")]
    (source / "test").mkdir()
    (source / "test/2.wav").write_bytes(wav(40))
    write_rows(source / "MusicBench_test_B.json", tested)
    manifest, rows = imported(source, tmp_path / "out")
    assert {path: r["caption"] for path, r in rows.items()} == {
        **{place: f"Caption of {place}." for place in places[:3]},
        "test/2.wav": "One.",
    }
    for number, place in enumerate(places[:3]):
        assert rows[place]["track_id"] == hashlib.sha256(wav(number + 30)).hexdigest()[:16]
    assert reasons(tmp_path / "out") == {"z/data/1.wav": "missing_audio", "test/2.wav": "repeated_row"}
    assert manifest.counts.rows + sum(manifest.counts.failed_by_reason.values()) + manifest.counts.filtered == 6


def test_bad_rows_and_bad_audio_cost_only_themselves(tmp_path):
    source = musicbench(tmp_path / "mb", packed=False)
    audio = source / "datashare" / "data"
    names = ("gone", "noise", "blank", "short", "long", "again", "again")
    write_rows(source / "MusicBench_train.json", [row(f"data/{name}.wav", f"Caption of {name}.") for name in names])
    with (source / "MusicBench_train.json").open("a") as table:
        table.write('not json\n[1]\n{"location": 7}\n\n{"location": "data/half.wav", "main_caption": "\\ud800"}\n')
    (audio / "noise.wav").write_bytes(b"RIFF this is no audio")
    (audio / "blank.wav").write_bytes(b"")
    (audio / "short.wav").write_bytes(wav(20, 0.5))
    (audio / "long.wav").write_bytes(wav(21, 12.0))
    (audio / "again.wav").write_bytes(wav(22, 9.97))
    manifest, rows = imported(source, tmp_path / "out")
    assert {p.partition("/")[2] for p in rows} == {f"{TESTED}.wav", "long.wav", "again.wav"}
    assert (rows["data/long.wav"]["duration_s"], rows["data/again.wav"]["duration_s"]) == (10.0, 9.97)
    assert rows["data/long.wav"]["qc_flags"] == ["audio:cut_to_10_s"]
    found = reasons(tmp_path / "out")
    assert found["data/gone.wav"] == "missing_audio"
    assert found["data/short.wav"] == "too_short"
    assert found["data/half.wav"] == "no_caption"
    assert [found[f"MusicBench_train.json:{n}"] for n in (8, 9, 10)] == ["bad_row"] * 3
    assert found["data/noise.wav"] != "missing_audio" and found["data/blank.wav"] == "empty"
    assert manifest.counts.filtered_by_reason == {"repeated_row": 1, "too_short": 1}


def test_captions_are_never_empty_and_never_repeated():
    texts = caption_texts({"main_caption": "  ", "alt_caption": "An alt."}, {"test_A": "An alt.", "test_B": None})
    assert [(t.style, t.text) for t in texts] == [("alt", "An alt.")]


@pytest.mark.slow
def test_importing_twice_gives_equal_bytes(tmp_path):
    source = musicbench(tmp_path / "mb")
    for name in ("a", "b"):
        imported(source, tmp_path / name)
    assert read_manifest(tmp_path / "a") == read_manifest(tmp_path / "b")


def test_a_damaged_archive_is_named_and_leaves_nothing(tmp_path):
    source = musicbench(tmp_path / "mb")
    archive = source / "MusicBench.tar.gz"
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(FgmcapsError, match=r"MusicBench\.tar\.gz: the archive is damaged"):
        imported(source, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["mb"]


def test_no_audio_at_all_says_what_is_missing(tmp_path):
    source = musicbench(tmp_path / "mb")
    (source / "MusicBench.tar.gz").unlink()
    with pytest.raises(NothingToDoError, match="missing_audio"):
        imported(source, tmp_path / "out")


def test_a_folder_without_its_files_is_refused(tmp_path):
    with pytest.raises(FgmcapsError, match=r"MusicBench_train\.json"):
        open_musicbench(tmp_path, ImportOptions())
    with pytest.raises(FgmcapsError, match="variants A and B"):
        open_musicbench(tmp_path, ImportOptions(variant="C"))


@pytest.mark.slow
def test_an_import_replaces_only_an_import(tmp_path):
    source, out = musicbench(tmp_path / "mb"), tmp_path / "out"
    imported(source, out)
    with pytest.raises(FgmcapsError, match="--replace"):
        imported(source, out)
    import_dataset(open_musicbench(source, ImportOptions(variant="A")), out, replace=True)
    assert read_manifest(out).config["import"]["variant"] == "A"
    build_dataset(tmp_path / "built", tracks=2, clips=1, shards=1)
    before = (tmp_path / "built" / "manifest.json").read_bytes()
    with pytest.raises(FgmcapsError, match="not made by this command"):
        import_dataset(open_musicbench(source, ImportOptions()), tmp_path / "built", replace=True)
    assert (tmp_path / "built" / "manifest.json").read_bytes() == before


@pytest.mark.slow
def test_our_own_export_comes_back(tmp_path):
    build_dataset(tmp_path / "built", tracks=10, clips=1)
    export_dataset(tmp_path / "built", tmp_path / "mb", EXPORTERS["musicbench"])
    _, rows = imported(tmp_path / "mb", tmp_path / "out")
    before = {r["id"]: r for _, r in iter_rows(tmp_path / "built", read_manifest(tmp_path / "built"))}
    assert {path: r["split"] for path, r in rows.items()} == {f"data/{i}.wav": r["split"] for i, r in before.items()}
    for i, row_ in before.items():
        got = rows[f"data/{i}.wav"]
        for name in ("caption", "tempo_bpm", "time_signature", "key", "key_confidence", "chord_summary"):
            if not (name == "key_confidence" and row_["key"] is None):
                assert got[name] == row_[name], (i, name)
        assert json.dumps(got["beats"]) == json.dumps(row_["beats"])
