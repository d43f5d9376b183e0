"""Folders and datasets as others lay them out: AudioFolder, split folders, several Audio columns, odd suffixes."""

import io
import json
import unicodedata

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.sources import SourceOptions, open_source
from fgmcaps.pipeline.sources.hf_dataset import read_row
from tests.pipeline.inputs import write_wav


def listed(path, **options):
    source = open_source(str(path), options=SourceOptions(**options))
    return {f.source_path: f for f in source.files()}, source.notes


def test_audiofolder_tables_and_split_folders(tmp_path):
    for name in ("train/a.wav", "train/sub/b.wav", "test/c.wav", "test/d.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "train/metadata.csv").write_text(
        "file_name,artist,label\na.wav,Nina,1\nsub/b.wav,Kai,2\ngone.wav,X,3\n"
    )
    (tmp_path / "test/metadata.jsonl").write_text('{"file_name": "c.wav", "genre": ["folk"]}\n')
    found, notes = listed(tmp_path)
    assert {name: f.metadata.split for name, f in found.items()} == {
        "train/a.wav": "train",
        "train/sub/b.wav": "train",
        "test/c.wav": "test",
        "test/d.wav": "test",
    }
    assert found["train/sub/b.wav"].metadata.artist == "Kai" and found["test/c.wav"].metadata.genre == ("folk",)
    assert any("train/metadata.csv describes 2 files, 1 of its files are not there" in note for note in notes)
    assert any("not used: label" in note for note in notes)


def test_a_table_wins_over_the_folder_and_other_names_are_told(tmp_path):
    for name in ("Training/a.wav", "valid/b.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "metadata.csv").write_text("file_name,split\nTraining/a.wav,test\n")
    found, notes = listed(tmp_path)
    assert found["Training/a.wav"].metadata.split == "test" and found["valid/b.wav"].metadata.split == "validation"
    assert "valid as validation (1)" in notes[-1]


def test_an_unknown_folder_beside_split_folders_asks(tmp_path):
    for name in ("train/a.wav", "test/b.wav", "eval/c.wav"):
        write_wav(tmp_path / name)
    with pytest.raises(FgmcapsError, match=r"eval.*--split-map eval=test"):
        listed(tmp_path)
    found, _ = listed(tmp_path, split_map={"eval": "hash"})
    assert found["eval/c.wav"].metadata.split is None and found["test/b.wav"].metadata.split == "test"


@pytest.mark.parametrize("name", ["Train/a.wav", "test/a.wav", "Album/train/a.wav", "a.wav"])
def test_one_folder_that_happens_to_be_called_so_is_no_split(tmp_path, name):
    write_wav(tmp_path / name)
    write_wav(tmp_path / "Other Band/b.wav")
    found, notes = listed(tmp_path)
    assert {f.metadata.split for f in found.values()} == {None} and notes == []


@pytest.mark.parametrize("suffix", ["mkv", "mov", "3gp", "m4r", "mpga", "dts", "voc", "MP3", "amr", "tak"])
def test_what_the_decoder_reads_is_taken(tmp_path, suffix):
    write_wav(tmp_path / f"a.{suffix}")
    assert len(listed(tmp_path)[0]) == 1


def test_what_is_passed_over_is_named(tmp_path):
    write_wav(tmp_path / "a.wav")
    for name in ("b.mid", "c.mid", "song.als", "cover.jpg", "x.parquet"):
        (tmp_path / name).write_bytes(b"x")
    _, notes = listed(tmp_path)
    assert any("2 x .mid" in n and "1 x .als" in n and "jpg" not in n for n in notes)
    assert any("1 Parquet or Arrow files were passed over" in n for n in notes)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_another_unicode_form_are_found(tmp_path, form):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    write_wav(tmp_path / unicodedata.normalize(form, "Café Zoë.wav"))
    name = unicodedata.normalize(other, "Café Zoë.wav")
    (tmp_path / "m.csv").write_text(f"path\n{name}\nsub\\x.wav\n gone.wav\n")
    write_wav(tmp_path / "sub" / "x.wav")
    write_wav(tmp_path / "gonw.wav")
    found, notes = listed(tmp_path / "m.csv")
    assert sorted(f.size > 0 for f in found.values()) == [False, True, True]
    assert any("2 paths" in n and "another spelling" in n for n in notes)
    assert any("1 files (' gone.wav') of the manifest missing (did you mean 'gonw.wav'?)" in n for n in notes), notes


def wav(seed):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(seed).normal(size=800) / 10, 8000, format="WAV")
    return {"bytes": buffer.getvalue(), "path": f"{seed}.wav"}


FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def parquet(path, typed, **columns):
    """A table whose columns are files; those in ``typed`` are declared with their type."""
    table = pa.table({name: pa.array(cells, FILE) for name, cells in columns.items()})
    features = {name: {"_type": kind} for name, kind in typed.items()}
    features |= {
        name: {"bytes": {"dtype": "binary", "_type": "Value"}, "path": {"dtype": "string", "_type": "Value"}}
        for name in columns
        if name not in typed
    }
    info = json.dumps({"info": {"features": features}})
    pq.write_table(table.replace_schema_metadata({"huggingface": info}), path)
    return path


def test_of_two_audio_columns_the_user_chooses(tmp_path):
    cells = {"mixture": [wav(1), wav(2)], "vocals": [wav(3), wav(4)]}
    path = parquet(tmp_path / "stems.parquet", {"mixture": "Audio", "vocals": "Audio"}, **cells)
    with pytest.raises(
        FgmcapsError, match="several columns with audio: mixture, vocals; choose one with --audio-column"
    ):
        listed(path)
    with pytest.raises(FgmcapsError, match=r"no audio column 'vocal' .did you mean 'vocals'"):
        listed(path, audio_column="vocal")
    found, _ = listed(path, audio_column="vocals")
    assert [read_row(f.location) for f in found.values()] == [wav(3)["bytes"], wav(4)["bytes"]]


def test_a_picture_beside_the_audio_is_not_looked_at(tmp_path):
    broken = {"bytes": b"no picture", "path": "x.png"}
    path = parquet(
        tmp_path / "covers.parquet", {"cover": "Image", "music": "Audio"}, cover=[broken] * 2, music=[wav(1), wav(2)]
    )
    found, _ = listed(path)
    assert [read_row(f.location) for f in found.values()] == [wav(1)["bytes"], wav(2)["bytes"]]


def test_a_plain_column_called_audio_is_the_audio(tmp_path):
    path = parquet(tmp_path / "plain.parquet", {}, cover=[wav(9)], audio=[wav(1)])
    (file,) = listed(path)[0].values()
    assert read_row(file.location) == wav(1)["bytes"]


def test_splits_of_a_dataset_become_ours(tmp_path):
    def rows(*seeds):
        audio = {"audio": [wav(seed) for seed in seeds]}
        return datasets.Dataset.from_dict(audio).cast_column("audio", datasets.Audio(decode=False))

    datasets.DatasetDict({"train": rows(1), "valid": rows(2, 3)}).save_to_disk(tmp_path / "named")
    found, notes = listed(tmp_path / "named")
    assert [f.metadata.split for f in found.values()] == ["train", "validation", "validation"]
    assert notes == ["splits of the corpus: valid as validation (1)"]
    datasets.DatasetDict({"train": rows(1), "eval": rows(2)}).save_to_disk(tmp_path / "odd")
    with pytest.raises(FgmcapsError, match="--split-map eval=test"):
        listed(tmp_path / "odd")
    assert [f.metadata.split for f in listed(tmp_path / "odd", split_map={"eval": "test"})[0].values()] == [
        "test",
        "train",
    ]
