"""Tables as people have them: read as they mean it, or refused with the line and what to do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.sources.columns import Columns
from fgmcaps.pipeline.sources.splits_of_others import SplitNames
from fgmcaps.pipeline.sources.table_file import read_table
from fgmcaps.schemas import TrackMetadata


def rows(tmp_path, content, name="m.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [row.cells for row in read_table(path)]


def metadata(**cells):
    return Columns(SplitNames({})).metadata_of(cells, "here")


A_B = [{"path": "a.wav", "title": "A"}, {"path": "b.wav", "title": "B"}]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_any_usual_separator_and_line_end(tmp_path, separator, end, suffix):
    text = end.join(separator.join(line) for line in (("path", "title"), ("a.wav", "A"), ("b.wav", "B")))
    assert rows(tmp_path, text, f"m{suffix}") == A_B


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_any_unicode_encoding(tmp_path, encoding, suffix):
    titles = ["Ä", "日本"]
    if suffix == ".jsonl":
        text = "".join(json.dumps({"path": "a", "title": t}, ensure_ascii=False) + "\n" for t in titles)
    else:
        mark = "," if suffix == ".csv" else "\t"
        text = f"path{mark}title\n" + "".join(f"a{mark}{t}\n" for t in titles)
    assert [row["title"] for row in rows(tmp_path, text.encode(encoding), f"m{suffix}")] == titles


def test_another_encoding_is_refused_with_its_line(tmp_path):
    with pytest.raises(FgmcapsError, match=r"line 3: not UTF-8 \(byte 0xe9\).*iconv -f LATIN1"):
        rows(tmp_path, "path,title\na.wav,x\nb.wav,café\n".encode("latin-1"))


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ('path\ttitle\na\t"Heroes\nb\tTwo\nc\tcall it love"\nd\tFour\n', ['"Heroes', "Two", 'call it love"', "Four"]),
        ('path\ttitle\na\t"Heroes"\nb\t"say ""hi"""\n', ["Heroes", 'say "hi"']),
        ("path\ttitle\na\tone, two\n", ["one, two"]),
    ],
)
def test_quotation_marks_in_tsv_are_letters(tmp_path, text, titles):
    assert [row["title"] for row in rows(tmp_path, text, "m.tsv")] == titles


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ('path,title\na,"one, two"\nb,"say ""hi"""\n', ["one, two", 'say "hi"']),
        ('path,title\na,7" Single\nb,x\n', ['7" Single', "x"]),
        ('path,title\na,"7" Single\nb,x\n', ['"7" Single', "x"]),
        ('path,title\na,"Heroes\nb,Two\n', ['"Heroes', "Two"]),
        ('path,title\na,"Heroes\nb,Two\nc,love"\n', ['"Heroes', "Two", 'love"']),
        ('path,title\na,"two\nlines"\nb,x\n', ["two\nlines", "x"]),
    ],
)
def test_quotation_marks_in_csv_swallow_no_line(tmp_path, text, titles):
    assert [row["title"] for row in rows(tmp_path, text)] == titles


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,title\na,b,c\n", "line 2: more values than the header has columns: 'c'"),
        ("path,title\na,x\nb;y\n", "line 3: one cell, where the header has 2"),
        ('path,title\na,"one, two\nb,x, y\n', "line 2"),
        ("path,path\na,b\n", "'path' stands twice"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path, text, words):
    with pytest.raises(FgmcapsError, match=words):
        rows(tmp_path, text)


def test_what_spreadsheets_leave_behind_is_nothing(tmp_path):
    assert rows(tmp_path, "path,title,,\na.wav,A,,\nb.wav,B,,\n,,,\n,,,\n\n") == A_B


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=3, max_size=3), min_size=1))
def test_what_csv_writes_is_read_back(tmp_path_factory, table):
    import csv

    path = tmp_path_factory.mktemp("table") / "m.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["path", "b", "c"], *table])
    expected = [dict(zip(("path", "b", "c"), line, strict=True)) for line in table if any(c.strip() for c in line)]
    assert [row.cells for row in read_table(path)] == expected


@pytest.mark.parametrize("name", ["Genre", " genre ", "GENRES", "\ufeffgenre", "genre_name", "Style"])
def test_headers_are_folded(name):
    assert metadata(**{name: "rock"}).genre == ("rock",)


def test_two_columns_that_say_one_thing_must_agree():
    assert metadata(license="CC0", licence="CC0").licence == "CC0"
    with pytest.raises(FgmcapsError, match="'license' and 'licence' both say the licence, and differ"):
        metadata(license="CC0", licence="MIT")


def test_columns_that_are_not_used_are_named_once_with_the_nearest():
    columns = Columns(SplitNames({}))
    for _ in range(3):
        columns.metadata_of({"bpm": "120", "artst": "Ann", "path": "x"}, "here")
    (note,) = columns.notes()
    assert note.startswith("columns that were not used: bpm, artst") and "did you mean 'artist'" in note


@pytest.mark.parametrize("word", ["", "nan", "NaN", "None", "N/A", "null", "[unknown]", "<NA>", "-", "Unknown", "\\N"])
def test_words_for_nothing_say_nothing(word):
    found = metadata(genre=word, mood=f"{word}; calm", artist=word, licence=word, album=word)
    assert found == TrackMetadata(mood=("calm",))


@pytest.mark.parametrize("title", ["None", "NA", "Unknown", "-", "[Intro]", "(Untitled)", "?"])
def test_a_title_may_be_such_a_word(title):
    assert metadata(title=title).title == title


@pytest.mark.parametrize(
    "cell",
    [
        '["Rock", "Hip Hop"]', "['Rock', 'Hip Hop']", "['Rock' 'Hip Hop']", "('Rock', 'Hip Hop')", "Rock; Hip Hop",
        "Rock|Hip Hop", "Rock, Hip Hop", "[Rock, Hip Hop]", "array(['Rock', 'Hip Hop'], dtype=object)",
        ["Rock", "Hip Hop"], ("Rock", "Hip Hop"), "['Rock'\n 'Hip Hop']",
    ],
)  # fmt: skip
def test_lists_in_a_cell(cell):
    assert metadata(genre=cell).genre == ("Rock", "Hip Hop")


@pytest.mark.parametrize(
    ("name", "split"), [("valid", "validation"), ("dev", "validation"), ("TEST", "test"), ("test_clean", "test")]
)
def test_usual_names_of_splits_become_ours(name, split):
    assert metadata(split=name).split == split


def test_an_unknown_split_says_how_to_map_it():
    with pytest.raises(FgmcapsError, match=r"the split 'eval' is not one of .* --split-map eval=test"):
        metadata(split="eval")
    names = SplitNames({"eval": "test", "unlabelled": "hash"})
    columns = Columns(names)
    assert columns.metadata_of({"split": "EVAL"}, "here").split == "test"
    assert columns.metadata_of({"split": "unlabelled"}, "here").split is None
    assert names.notes() == ["splits of the corpus: EVAL as test (1), unlabelled as hash (1)"]
