"""The published benchmark's layout: Parquet with id, caption, audio, as `datasets` pushes it."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.failures import read_failures
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.export.registry import FORMATS as EXPORTS
from fgmcaps.pipeline.export.run import export_dataset
from fgmcaps.pipeline.interop.base import ImportOptions
from fgmcaps.pipeline.interop.benchmark import open_benchmark
from fgmcaps.pipeline.interop.dataset import import_dataset
from fgmcaps.pipeline.validation.validate import validate
from tests.factories import build_dataset
from tests.pipeline.interop.layouts import wav


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
    export_dataset(tmp_path / "built", tmp_path / "mteb", EXPORTS["mteb"], splits=("train", "validation"))
    manifest = import_dataset(open_benchmark(tmp_path / "mteb", ImportOptions()), tmp_path / "out")
    assert validate(tmp_path / "out") == []
    got = {r["source_path"]: (r["split"], r["caption"]) for _, r in iter_rows(tmp_path / "out", manifest)}
    before = iter_rows(tmp_path / "built", read_manifest(tmp_path / "built"))
    assert got == {r["id"]: (r["split"], r["caption"]) for _, r in before if r["split"] != "test"}
