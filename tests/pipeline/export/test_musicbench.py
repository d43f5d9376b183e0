"""MusicBench rows against values written down by hand, and the files."""

import io
import json

import numpy as np
import pytest
import soundfile

from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.export.musicbench import file_of_split, musicbench_row, wav_of
from fgmcaps.pipeline.export.registry import FORMATS
from fgmcaps.pipeline.export.run import export_dataset
from tests.factories import make_row

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
    export_dataset(three_splits, tmp_path / "x", FORMATS["musicbench"])
    assert file_of_split("test") == "MusicBench_test_B.json"
    sizes = {}
    for split in ("train", "validation", "test"):
        rows = [json.loads(line) for line in (tmp_path / "x" / file_of_split(split)).read_text().splitlines()]
        sizes[split] = len(rows)
        assert all((tmp_path / "x" / row["location"]).is_file() for row in rows)
    assert sizes == {"train": 18, "validation": 8, "test": 4}


def test_without_audio_the_location_is_the_source_path(silent_dataset, tmp_path):
    export_dataset(silent_dataset, tmp_path / "x", FORMATS["musicbench"])
    first = json.loads((tmp_path / "x" / "MusicBench_train.json").read_text().splitlines()[0])
    assert first["location"].startswith("album ")
