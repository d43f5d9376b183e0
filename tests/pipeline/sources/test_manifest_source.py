"""Manifests: every format, every way in which a table is wrong; the error names file and line."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.sources import open_source
from fgmcaps.pipeline.sources.columns import Columns
from fgmcaps.pipeline.sources.inventory import KnownSound, Unread, take_inventory
from fgmcaps.pipeline.sources.splits_of_others import SplitNames
from fgmcaps.schemas import TrackMetadata
from tests.pipeline.inputs import write_wav

ROWS = [
    {"path": "b.wav", "title": "B, the song", "artist": "Ann", "genre": "rock;blues", "split": "test"},
    {"path": "a.wav", "title": "A \u00e9", "artist": "Bob", "genre": "jazz", "split": ""},
]
EXPECTED = {
    "a.wav": TrackMetadata("A \u00e9", "Bob", genre=("jazz",)),
    "b.wav": TrackMetadata("B, the song", "Ann", genre=("rock", "blues"), split="test"),
}


def table(path, rows=ROWS, encoding="utf-8"):
    match path.suffix:
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding=encoding)
        case suffix:
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, list(rows[0]), delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
            path.write_bytes(text.getvalue().encode(encoding))
    return path


def read(path):
    return {f.source_path: f.metadata for f in open_source(str(path)).files()}


def refusal(path, content=None):
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FgmcapsError) as caught:
        read(path)
    message = str(caught.value)
    assert path.name in message and "\n" not in message
    return message


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_tracks_sorted_by_path(tmp_path, suffix):
    found = read(table(tmp_path / f"m{suffix}"))
    assert found == EXPECTED and list(found) == ["a.wav", "b.wav"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path, suffix):
    assert read(table(tmp_path / f"m{suffix}", encoding="utf-8-sig")) == EXPECTED


def test_paths_are_relative_to_the_manifest_and_may_be_absolute(tmp_path):
    first, second = write_wav(tmp_path / "in" / "a b.wav"), write_wav(tmp_path / "else" / "b.wav")
    path = table(tmp_path / "in" / "m.csv", [{"path": "a b.wav"}, {"path": str(second)}])
    found = {f.source_path: f for f in open_source(str(path)).files()}
    assert found["a b.wav"].location == str(first) and found[str(second)[1:]].location == str(second)
    assert found["a b.wav"].size == first.stat().st_size


@pytest.mark.parametrize("column", ["path", "file", "file_name", "filename", "audio"])
def test_the_path_may_be_in_any_usual_column(tmp_path, column):
    assert list(read(table(tmp_path / "m.csv", [{"title": "t", column: "a.wav"}]))) == ["a.wav"]


def test_american_and_plural_names_are_known_and_other_columns_ignored(tmp_path):
    row = {"path": "a.wav", "license": "MIT", "genres": "x|y", "moods": "calm", "bpm": "120"}
    assert read(table(tmp_path / "m.csv", [row])) == {
        "a.wav": TrackMetadata(licence="MIT", genre=("x", "y"), mood=("calm",))
    }


def test_lists_and_missing_values_of_typed_tables(tmp_path):
    rows = [{"path": "a.wav", "genre": ["rock", "rock", " "], "title": None, "artist": 7, "mood": float("nan")}]
    assert read(table(tmp_path / "m.jsonl", rows)) == {"a.wav": TrackMetadata(artist="7", genre=("rock",))}


def test_no_path_column_lists_the_columns_there_are(tmp_path):
    message = refusal(tmp_path / "m.csv", "title,song\nx,a.wav\n")
    assert "line 2" in message and "'path'" in message and "title, song" in message


def test_a_row_without_a_path_is_named(tmp_path):
    assert "line 3" in refusal(tmp_path / "m.csv", "path,title\na.wav,A\n,B\n")


def test_a_row_with_too_many_values_is_named(tmp_path):
    message = refusal(tmp_path / "m.csv", "path,title\na.wav,A\nb.wav,B, the song\n")
    assert "line 3" in message and "the song" in message


def test_a_short_row_lacks_its_last_values(tmp_path):
    (tmp_path / "m.csv").write_text("path,title,artist\na.wav,A\n")
    assert read(tmp_path / "m.csv") == {"a.wav": TrackMetadata("A")}


def test_a_line_number_counts_lines_of_the_file_inside_quotes_too(tmp_path):
    assert "line 5" in refusal(tmp_path / "m.csv", 'path,title\na.wav,"A\nsong"\nb.wav,B\n,C\n')


@pytest.mark.parametrize("line", ['{"path": "b.wav"', "b.wav", '["b.wav"]', "{'path': 'b.wav'}", "[" * 100_000, "3"])
def test_a_broken_line_of_json_is_named(tmp_path, line):
    assert "line 3" in refusal(tmp_path / "m.jsonl", f'{{"path": "a.wav"}}\n\n{line}\n')


@pytest.mark.parametrize("value", [3, ["a.wav"], {"bytes": "x"}, True, "\ud800.wav"])
def test_a_path_that_is_no_text_is_named(tmp_path, value):
    assert "line 1" in refusal(tmp_path / "m.jsonl", json.dumps({"path": value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", {"a": 1}),
        ("title", ["x"]),
        ("genre", 3),
        ("genre", [3]),
        ("mood", {"a": 1}),
        ("title", "\ud800"),
        ("genre", ["\ud800"]),
    ],
)
def test_metadata_of_a_wrong_type_is_named(tmp_path, field, value):
    message = refusal(tmp_path / "m.jsonl", json.dumps({"path": "a.wav", field: value}))
    assert "line 1" in message and field in message


def test_an_unknown_split_is_named_with_the_nearest(tmp_path):
    message = refusal(tmp_path / "m.csv", "path,split\na.wav,train\nb.wav,tests\n")
    assert "line 3" in message and "'tests'" in message and "did you mean 'test'?" in message


def test_equal_rows_are_one_track_and_unequal_ones_refused(tmp_path):
    (tmp_path / "m.csv").write_text("path,title\na.wav,A\na.wav,A\n")
    assert list(read(tmp_path / "m.csv")) == ["a.wav"]
    message = refusal(tmp_path / "m.csv", "path,title\na.wav,A\na.wav,B\n")
    assert "line 3" in message and "'a.wav'" in message


@pytest.mark.parametrize("content", ["", "path,title\n", "\n\n"])
def test_a_table_without_rows_is_nothing_to_build(tmp_path, content):
    (tmp_path / "m.csv").write_text(content)
    with pytest.raises(NothingToDoError, match=r"m\.csv has no rows"):
        read(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", b"path\n\xff\xfe.wav\n"),
        ("m.csv", b'path\n"unclosed\n'),
        ("m.csv", b"path\n" + b"x" * 200_000),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(tmp_path, name, content):
    assert "cannot read the manifest" in refusal(tmp_path / name, content)


def test_a_missing_file_is_listed_and_fails_by_itself(tmp_path):
    write_wav(tmp_path / "a.wav")
    path = table(tmp_path / "m.csv", [{"path": "a.wav"}, {"path": "gone.wav"}, {"path": "."}])
    got = {
        h.file.source_path: h for h in take_inventory(open_source(str(path)).files(), tmp_path / "i", lambda *_: None)
    }
    assert isinstance(got["a.wav"], KnownSound)
    assert isinstance(got["gone.wav"], Unread) and "No such file or directory" in got["gone.wav"].error
    assert isinstance(got["."], Unread) and got["."].error


VALUES = st.one_of(
    st.none(), st.text(max_size=8), st.integers(), st.floats(), st.lists(st.text(max_size=4), max_size=3)
)
FIELDS = st.sampled_from(["title", "artist", "album", "genre", "mood", "licence", "license", "genres", "split", "x"])


@given(st.dictionaries(FIELDS, VALUES))
def test_any_row_gives_clean_metadata_or_a_refusal_that_names_it(row):
    try:
        metadata = Columns(SplitNames({})).metadata_of(row, "table: line 7")
    except FgmcapsError as error:
        assert str(error).startswith("table: line 7")
    else:
        for text in (
            metadata.title,
            metadata.artist,
            metadata.album,
            metadata.licence,
            *metadata.genre,
            *metadata.mood,
        ):
            assert text is None or (text == text.strip() and text)
