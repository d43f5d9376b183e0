"""FMA's metadata to a manifest that `fgmcaps build` reads."""

import csv

import pytest

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.formats.base import ImportOptions
from fgmcaps.pipeline.formats.fma import fma_lines
from fgmcaps.pipeline.formats.run.import_metadata import import_metadata
from tests.pipeline.formats.manifests import manifest_of

FMA_COLUMNS = (
    ("album", "comments"), ("album", "title"), ("artist", "bio"), ("artist", "name"), ("set", "split"),
    ("set", "subset"), ("track", "genre_top"), ("track", "genres"), ("track", "license"), ("track", "title"),
)  # fmt: skip


@pytest.fixture
def fma(tmp_path):
    """tracks.csv with its three header lines and a biography of 200,000 characters over several lines; genres.csv."""
    bio = "<p>born,\n" + "x" * 200_000 + '"quoted"</p>'
    rows = [
        [2, 0, "AWOL", bio, "AWOL", "training", "small", "Hip-Hop", "[21]",
         "Attribution-NonCommercial-ShareAlike 3.0 International", "Food"],
        [155320, 4, "Spiritual", "", "Spiritual, Level", "test", "large", "", "[10, 12]",
         "Creative Commons Attribution 4.0", "The Auger; Part 2"],
    ]  # fmt: skip
    with (tmp_path / "tracks.csv").open("w", newline="", encoding="utf-8") as handle:
        table = csv.writer(handle)
        table.writerow(["", *(group for group, _ in FMA_COLUMNS)])
        table.writerow(["", *(field for _, field in FMA_COLUMNS)])
        table.writerow(["track_id", *[""] * len(FMA_COLUMNS)])
        table.writerows(rows)
    (tmp_path / "genres.csv").write_text(
        "genre_id,#tracks,parent,title,top_level\n10,13845,0,Pop,10\n12,32923,0,Rock,12\n21,8389,0,Hip-Hop,21\n"
    )
    return tmp_path


def test_fma_becomes_a_manifest_that_build_reads(fma):
    out = fma / "manifest.csv"
    found = manifest_of(fma_lines(fma, ImportOptions(splits="set"), out), out)
    assert set(found) == {"000/000002.mp3", "155/155320.mp3"}
    first, second = found["000/000002.mp3"].metadata, found["155/155320.mp3"].metadata
    assert (first.title, first.artist, first.album) == ("Food", "AWOL", "AWOL")
    assert (first.genre, first.licence, first.split) == (("Hip-Hop",), "CC-BY-NC-SA-3.0", "train")
    assert (second.title, second.artist, second.genre) == ("The Auger; Part 2", "Spiritual, Level", ("Pop", "Rock"))
    assert (second.licence, second.split) == ("CC-BY-4.0", "test")


def test_fma_splits_are_ours_unless_asked_for(fma):
    assert [r.split for r in fma_lines(fma / "tracks.csv", ImportOptions(), fma / "m.csv")] == ["", ""]
    with pytest.raises(FgmcapsError, match="--splits set"):
        list(fma_lines(fma, ImportOptions(splits="split-0"), fma / "m.csv"))


def test_fma_of_another_layout_is_refused(fma):
    (fma / "tracks.csv").write_text("track_id,title\n2,Food\n")
    with pytest.raises(FgmcapsError, match=r"is this tracks\.csv"):
        list(fma_lines(fma, ImportOptions(), fma / "m.csv"))


def test_a_manifest_is_written_whole_or_not_at_all(fma):
    out = fma / "m.csv"
    (fma / "tracks.csv").write_text((fma / "tracks.csv").read_text() + "oops\n")
    with pytest.raises(FgmcapsError, match="line"):
        import_metadata(fma_lines(fma, ImportOptions(), out), out)
    assert sorted(p.name for p in fma.iterdir()) == ["genres.csv", "tracks.csv"]
    with pytest.raises(NothingToDoError, match="no track"):
        import_metadata(iter(()), out)
    out.write_text("mine")
    with pytest.raises(FgmcapsError, match="--replace"):
        import_metadata(iter(()), out)
    with pytest.raises(FgmcapsError, match=r"ends in \.csv"):
        import_metadata(iter(()), fma / "out")
    assert out.read_text() == "mine"
