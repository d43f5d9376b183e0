"""Shards: names, order, determinism, bounded memory, and what readers get."""

import hashlib
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.pipeline.dataset.shards import ROWS_PER_GROUP, parse_shard_name, shard_name, write_shard
from fgmcaps.schemas.arrow import arrow_schema
from tests.factories import make_row

ROW = make_row(4, audio="none")
SPLIT = ROW["split"]


def rows(count, **changes):
    return [{**ROW, "id": f"{i:016x}-00000000", **changes} for i in range(count)]


@given(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), st.integers(1, 99_999), st.data())
def test_names_come_back(split, total, data):
    index = data.draw(st.integers(0, total - 1))
    assert parse_shard_name(shard_name(split, index, total)) == (split, index, total)


def test_a_name_is_as_documented():
    assert shard_name("train", 3, 16) == "train-00003-of-00016.parquet"


@pytest.mark.parametrize(
    ("split", "index", "total"),
    [
        ("Train", 0, 1),
        ("../x", 0, 1),
        ("", 0, 1),
        ("a-b", 0, 1),
        ("a\n", 0, 1),
        ("a", 1, 1),
        ("a", -1, 1),
        ("a", 0, 0),
        ("a", 0, 100_000),
    ],
)
def test_impossible_names_are_refused(split, index, total):
    with pytest.raises(ValueError, match=r"split name|shard"):
        shard_name(split, index, total)


@pytest.mark.parametrize(
    "bad", ["train.parquet", "train-00001-of-00001.parquet", "train-0-of-1.parquet", "a-00000-of-00001.parquet.tmp"]
)
def test_other_files_are_no_shards(bad):
    with pytest.raises(ValueError, match="not a shard name"):
        parse_shard_name(bad)


def test_rows_come_back_as_they_went_in(tmp_path):
    row = make_row(1)
    shard = write_shard(tmp_path, row["split"], 0, 1, [row])
    table = pq.read_table(tmp_path / shard.path)
    assert table.schema.equals(arrow_schema())
    assert table.schema.metadata == arrow_schema().metadata
    assert table.to_pylist() == [row]


def test_the_manifest_entry_describes_the_file(tmp_path):
    shard = write_shard(tmp_path, SPLIT, 1, 2, rows(3))
    data = (tmp_path / shard.path).read_bytes()
    assert shard.path == f"data/{SPLIT}-00001-of-00002.parquet"
    assert (shard.rows, shard.bytes, shard.sha256) == (3, len(data), hashlib.sha256(data).hexdigest())


def test_equal_rows_give_equal_bytes_however_they_arrive(tmp_path):
    some = rows(ROWS_PER_GROUP * 2 + 5)
    one = write_shard(tmp_path / "a", SPLIT, 0, 1, some)
    two = write_shard(tmp_path / "b", SPLIT, 0, 1, (dict(reversed(row.items())) for row in some))
    assert one == two
    assert (tmp_path / "a" / one.path).read_bytes() == (tmp_path / "b" / two.path).read_bytes()


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(tmp_path):
    code = """
        import sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from tests.pipeline.dataset.test_shards import SPLIT, rows
        from fgmcaps.pipeline.dataset.shards import write_shard
        sys.stdout.write(write_shard(Path(sys.argv[1]), SPLIT, 0, 1, rows(70)).sha256)
    """
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "b"), root]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert theirs == write_shard(tmp_path / "a", SPLIT, 0, 1, rows(70)).sha256


def test_row_groups_are_small_and_have_a_page_index(tmp_path):
    shard = write_shard(tmp_path, SPLIT, 0, 1, rows(ROWS_PER_GROUP * 2 + 1))
    footer = pq.read_metadata(tmp_path / shard.path)
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [64, 64, 1]
    assert footer.row_group(0).column(0).has_offset_index
    assert footer.row_group(0).column(0).has_column_index


def test_the_footer_holds_no_audio(tmp_path):
    secret = b"SECRET-AUDIO" * 20
    shard = write_shard(tmp_path, SPLIT, 0, 1, rows(3, audio={"bytes": secret, "path": None}))
    footer = pq.read_metadata(tmp_path / shard.path)
    column = next(
        footer.row_group(0).column(i) for i in range(footer.num_columns) if "bytes" in footer.schema.column(i).path
    )
    assert not column.is_stats_set


def test_rows_are_streamed_not_gathered(tmp_path):
    size = 100_000

    def source():
        for i, row in enumerate(rows(ROWS_PER_GROUP * 10)):
            yield {**row, "audio": {"bytes": hashlib.shake_128(str(i).encode()).digest(size), "path": None}}

    tracemalloc.start()
    shard = write_shard(tmp_path, SPLIT, 0, 1, source())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert shard.bytes > 60e6
    assert peak < 2.5 * ROWS_PER_GROUP * size  # two groups at most, of ten


def test_an_empty_shard_is_a_shard(tmp_path):
    shard = write_shard(tmp_path, "test", 0, 1, [])
    assert shard.rows == 0
    assert pq.read_table(tmp_path / shard.path).num_rows == 0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (rows(2)[::-1], r"after '0000000000000001-00000000'.*ascend"),
        (rows(1) * 2, "ascend"),
        (rows(1, split="other"), "split 'other'"),
        ([{k: v for k, v in ROW.items() if k != "key"}], r"missing columns \['key'\]"),
        ([{**ROW, "extra": 1}], r"unknown columns \['extra'\]"),
        (rows(1, tempo_bpm="fast"), "row 0000000000000000-00000000.*does not fit"),
        (rows(1, beat_count=2**40), "does not fit"),
        (rows(1, title="\udcff"), "row 0000000000000000-00000000.*does not fit"),
    ],
)
def test_bad_rows_are_refused_by_name_and_leave_nothing(tmp_path, bad, message):
    with pytest.raises(ValueError, match=message):
        write_shard(tmp_path, SPLIT, 0, 1, bad)
    assert list((tmp_path / "data").iterdir()) == []


def test_an_error_of_the_source_leaves_the_old_shard(tmp_path):
    shard = write_shard(tmp_path, SPLIT, 0, 1, rows(2))

    def broken():
        yield from rows(100)
        raise KeyError("journal")

    with pytest.raises(KeyError):
        write_shard(tmp_path, SPLIT, 0, 1, broken())
    assert hashlib.sha256((tmp_path / shard.path).read_bytes()).hexdigest() == shard.sha256
    assert len(list((tmp_path / "data").iterdir())) == 1


@pytest.mark.slow
def test_a_full_disk_leaves_no_half_shard(tmp_path):
    code = """
        import os, resource, sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from tests.pipeline.dataset.test_shards import SPLIT, rows
        from fgmcaps.common.files import DiskFullError
        from fgmcaps.pipeline.dataset.shards import write_shard
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        big = [{**row, "audio": {"bytes": os.urandom(20_000), "path": None}} for row in rows(80)]
        try:
            write_shard(Path(sys.argv[1]), SPLIT, 0, 1, big)
        except DiskFullError as error:
            sys.exit(7 if "parquet" in str(error) else 8)
    """
    root = str(Path(__file__).parents[3])
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path), root], timeout=120, check=False
    )
    assert process.returncode == 7
    assert list((tmp_path / "data").iterdir()) == []
