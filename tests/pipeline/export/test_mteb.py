"""The MTEB layout, read as the FGMCaps tasks of mteb 2 read it: by name and split, then by these three columns."""

import io

import datasets
import soundfile

from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.export.registry import FORMATS
from fgmcaps.pipeline.export.run import export_dataset


def test_the_tasks_find_queries_corpus_and_relevance(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", FORMATS["mteb"])
    loaded = datasets.load_dataset(str(tmp_path / "x"), split="test", revision=None)
    assert loaded.column_names == ["id", "audio", "caption"]
    assert loaded.features["audio"] == datasets.Audio(sampling_rate=24_000)
    text = loaded.select_columns(["id", "caption"]).rename_column("caption", "text")
    audio = loaded.select_columns(["id", "audio"]).cast_column("audio", datasets.Audio(decode=False))
    relevant = {id_: {id_: 1} for id_ in loaded["id"]}
    assert len(relevant) == 4
    rows = {row["id"]: row["caption"] for _, row in iter_rows(three_splits, read_manifest(three_splits))}
    assert {row["id"]: row["text"] for row in text} == {id_: rows[id_] for id_ in relevant}
    samples, rate = soundfile.read(io.BytesIO(audio[0]["audio"]["bytes"]))
    assert (rate, samples.shape) == (24_000, (240_000,))


def test_more_splits_on_demand(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", FORMATS["mteb"], splits=("train", "test"))
    loaded = datasets.load_dataset(str(tmp_path / "x"))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 18, "test": 4}
