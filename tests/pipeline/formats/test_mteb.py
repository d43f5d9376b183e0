"""The layout of MTEB's FGMCaps tasks: read as mteb 2 reads it (by name and split, then these three columns), and the
published benchmark, which `datasets` pushed in it, imported."""

import io

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.failures import read_failures
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.formats.base import ImportOptions
from fgmcaps.pipeline.formats.mteb import open_benchmark
from fgmcaps.pipeline.formats.registry import EXPORTERS
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from fgmcaps.pipeline.formats.run.import_dataset import import_dataset
from fgmcaps.pipeline.validation.validate import validate
from tests.factories import build_dataset
from tests.pipeline.formats.layouts import wav


def test_the_tasks_find_queries_corpus_and_relevance(three_splits, tmp_path):
    export_dataset(three_splits, tmp_path / "x", EXPORTERS["mteb"])
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
    export_dataset(three_splits, tmp_path / "x", EXPORTERS["mteb"], splits=("train", "test"))
    loaded = datasets.load_dataset(str(tmp_path / "x"))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 18, "test": 4}


def write_benchmark(folder, rows, columns=("id", "caption", "audio")):
    (folder / "data").mkdir(parents=True)
    table = pa.Table.from_pylist(rows).select(list(columns))
    pq.write_table(table, folder / "data" / "test-00000-of-00001.parquet")
    return folder


def good_rows(n=3):
    return [
        {
            "id": f"clip_{i}",
            "caption": f"The piece is in 4/4, number {i}.",
            "audio": {"bytes": wav(30 + i, 9.9536 if i == 1 else 10.0, 24_000), "path": f"clip_{i}.wav"},
        }
        for i in range(n)
    ]


def test_rows_keep_captions_and_ids_and_claim_no_labels(tmp_path):
    source, out = write_benchmark(tmp_path / "in", good_rows()), tmp_path / "out"
    manifest = import_dataset(open_benchmark(source, ImportOptions()), out)
    assert validate(out) == []
    rows = {r["source_path"]: r for _, r in iter_rows(out, manifest)}
    assert {name: (r["split"], r["caption"]) for name, r in rows.items()} == {
        f"clip_{i}": ("test", f"The piece is in 4/4, number {i}.") for i in range(3)
    }
    assert rows["clip_1"]["duration_s"] == pytest.approx(9.9536, abs=1 / 24_000)
    assert all(r["time_signature"] is None and len(r["qc_flags"]) == 4 for r in rows.values())


def test_rows_without_caption_or_audio_are_counted(tmp_path):
    rows = good_rows(4)
    rows[0]["caption"], rows[1]["audio"] = None, None
    rows[2]["audio"]["bytes"] = b"no audio"
    out = tmp_path / "out"
    manifest = import_dataset(open_benchmark(write_benchmark(tmp_path / "in", rows), ImportOptions()), out)
    assert validate(out) == []
    assert manifest.counts.rows == 1
    reasons = {letter.source_path: letter.reason for letter in read_failures(out)}
    assert (reasons["clip_0"], reasons["clip_1"]) == ("no_caption", "missing_audio")
    assert reasons["clip_2"] == "not_audio"


def test_files_of_another_layout_are_named(tmp_path):
    with pytest.raises(FgmcapsError, match=r"no \.parquet files"):
        open_benchmark(tmp_path, ImportOptions())
    write_benchmark(tmp_path / "in", good_rows(), columns=("id", "audio"))
    with pytest.raises(FgmcapsError, match=r"test-00000-of-00001\.parquet: no column caption; it has id, audio"):
        open_benchmark(tmp_path / "in", ImportOptions())
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(FgmcapsError, match="cannot be read as Parquet"):
        open_benchmark(tmp_path / "broken.parquet", ImportOptions())


@pytest.mark.slow
def test_our_own_mteb_export_comes_back(tmp_path):
    build_dataset(tmp_path / "built", tracks=12, clips=1)
    export_dataset(tmp_path / "built", tmp_path / "mteb", EXPORTERS["mteb"], splits=("train", "validation"))
    manifest = import_dataset(open_benchmark(tmp_path / "mteb", ImportOptions()), tmp_path / "out")
    assert validate(tmp_path / "out") == []
    got = {r["source_path"]: (r["split"], r["caption"]) for _, r in iter_rows(tmp_path / "out", manifest)}
    before = iter_rows(tmp_path / "built", read_manifest(tmp_path / "built"))
    assert got == {r["id"]: (r["split"], r["caption"]) for _, r in before if r["split"] != "test"}
