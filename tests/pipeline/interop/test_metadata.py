"""MTG-Jamendo and FMA metadata to a manifest that `fgmcaps build` reads."""

import csv

import pytest

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.hub.licence_policy import judge
from fgmcaps.pipeline.interop.base import ImportOptions
from fgmcaps.pipeline.interop.fma import fma_rows
from fgmcaps.pipeline.interop.jamendo import jamendo_rows
from fgmcaps.pipeline.interop.licences import licence_name
from fgmcaps.pipeline.interop.manifest import write_import_manifest
from fgmcaps.pipeline.sources import open_source

HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
TRACKS = (
    "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock\n",
    "track_0003346\tartist_000517\talbum_000521\t46/3346.mp3\t195.0\tgenre---pop\tgenre---rock\tinstrument---piano"
    "\tmood/theme---calm\tmood/theme---melodic\n",
)
LICENCES = """14/214.mp3
Intro chiante by David TMX from Jamendo: http://www.jamendo.com/track/214
Available under a Creative Commons Attribution-NonCommercial-ShareAlike license: http://creativecommons.org/licenses/by-nc-sa/3.0/

46/3346.mp3
Other by Other from Jamendo: http://www.jamendo.com/track/3346
Available under a Creative Commons Attribution license: http://creativecommons.org/licenses/by/3.0/
"""


@pytest.fixture
def jamendo(tmp_path):
    """The repository: data/autotagging.tsv, a split, licences beside data/, audio in two qualities."""
    data = tmp_path / "jamendo" / "data"
    (data / "splits" / "split-0").mkdir(parents=True)
    (data / "autotagging.tsv").write_text(HEADER + "".join(TRACKS))
    (data.parent / "audio_licenses.txt").write_text(LICENCES)
    for split, lines in (("train", TRACKS[:1]), ("validation", ()), ("test", TRACKS[1:])):
        (data / "splits" / "split-0" / f"autotagging-{split}.tsv").write_text(HEADER + "".join(lines))
    for name in ("14/214.mp3", "46/3346.low.mp3"):
        path = tmp_path / "audio" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    return tmp_path


def manifest_of(rows, out):
    count = write_import_manifest(rows, out)
    found = {f.source_path: f for f in open_source(str(out)).files()}
    assert len(found) == count
    return found


def test_jamendo_becomes_a_manifest_that_build_reads(jamendo):
    out = jamendo / "audio" / "manifest.csv"
    options = ImportOptions(audio_root=jamendo / "audio", splits="split-0")
    found = manifest_of(jamendo_rows(jamendo / "jamendo", options, out), out)
    assert set(found) == {"14/214.mp3", "46/3346.low.mp3"}
    first, second = found["14/214.mp3"].metadata, found["46/3346.low.mp3"].metadata
    assert (first.genre, first.mood, first.licence, first.split) == (("punkrock",), (), "CC-BY-NC-SA-3.0", "train")
    assert (second.genre, second.mood) == (("pop", "rock"), ("calm", "melodic"))
    assert (second.artist, second.album, second.split) == ("artist_000517", "album_000521", "test")
    assert all(f.size > 0 for f in found.values()), "the paths lead to the files"


def test_jamendo_names_replace_ids_where_they_are_known(jamendo):
    (jamendo / "jamendo/data/raw.meta.tsv").write_text(
        "TRACK_ID\tARTIST_ID\tALBUM_ID\tTRACK_NAME\tARTIST_NAME\tALBUM_NAME\tRELEASEDATE\tURL\n"
        "track_0000214\tartist_000014\talbum_000031\tIntro, chiante\tDavid TMX\tAn album\t2004-12-28\thttp://x/214\n"
    )
    out = jamendo / "m.csv"
    first, second = jamendo_rows(jamendo / "jamendo/data/autotagging.tsv", ImportOptions(), out)
    assert (first["title"], first["artist"], first["album"]) == ("Intro, chiante", "David TMX", "An album")
    assert (second["title"], second["artist"], second["split"]) == ("", "artist_000517", "")
    assert first["path"] == "14/214.mp3"


def test_jamendo_files_that_are_not_there_are_left_out(jamendo):
    (jamendo / "audio/14/214.mp3").unlink()
    out = jamendo / "m.csv"
    rows = list(jamendo_rows(jamendo / "jamendo", ImportOptions(audio_root=jamendo / "audio"), out))
    assert [r["path"] for r in rows] == ["audio/46/3346.low.mp3"]


@pytest.mark.parametrize(
    ("text", "match"),
    [("a,b\n", "the header is not"), (HEADER + "track_1\tartist\n", "line 2: expected"), ("\xff", "cannot read")],
)
def test_another_table_is_refused_with_its_line(tmp_path, text, match):
    (tmp_path / "x.tsv").write_bytes(text.encode("latin-1"))
    with pytest.raises(FgmcapsError, match=match):
        list(jamendo_rows(tmp_path / "x.tsv", ImportOptions(), tmp_path / "m.csv"))


def test_unknown_splits_and_folders_are_named(jamendo):
    with pytest.raises(FgmcapsError, match="split-9"):
        list(jamendo_rows(jamendo / "jamendo", ImportOptions(splits="split-9"), jamendo / "m.csv"))
    with pytest.raises(FgmcapsError, match=r"no autotagging\.tsv"):
        list(jamendo_rows(jamendo / "audio", ImportOptions(), jamendo / "m.csv"))


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
    found = manifest_of(fma_rows(fma, ImportOptions(splits="set"), out), out)
    assert set(found) == {"000/000002.mp3", "155/155320.mp3"}
    first, second = found["000/000002.mp3"].metadata, found["155/155320.mp3"].metadata
    assert (first.title, first.artist, first.album) == ("Food", "AWOL", "AWOL")
    assert (first.genre, first.licence, first.split) == (("Hip-Hop",), "CC-BY-NC-SA-3.0", "train")
    assert (second.title, second.artist, second.genre) == ("The Auger; Part 2", "Spiritual, Level", ("Pop", "Rock"))
    assert (second.licence, second.split) == ("CC-BY-4.0", "test")


def test_fma_splits_are_ours_unless_asked_for(fma):
    assert [r["split"] for r in fma_rows(fma / "tracks.csv", ImportOptions(), fma / "m.csv")] == ["", ""]
    with pytest.raises(FgmcapsError, match="--splits set"):
        list(fma_rows(fma, ImportOptions(splits="split-0"), fma / "m.csv"))


def test_fma_of_another_layout_is_refused(fma):
    (fma / "tracks.csv").write_text("track_id,title\n2,Food\n")
    with pytest.raises(FgmcapsError, match=r"is this tracks\.csv"):
        list(fma_rows(fma, ImportOptions(), fma / "m.csv"))


def test_a_manifest_is_written_whole_or_not_at_all(fma):
    out = fma / "m.csv"
    (fma / "tracks.csv").write_text((fma / "tracks.csv").read_text() + "oops\n")
    with pytest.raises(FgmcapsError, match="line"):
        write_import_manifest(fma_rows(fma, ImportOptions(), out), out)
    assert sorted(p.name for p in fma.iterdir()) == ["genres.csv", "tracks.csv"]
    with pytest.raises(NothingToDoError, match="no track"):
        write_import_manifest(iter(()), out)
    out.write_text("mine")
    with pytest.raises(FgmcapsError, match="--replace"):
        write_import_manifest(iter(()), out)
    with pytest.raises(FgmcapsError, match=r"ends in \.csv"):
        write_import_manifest(iter(()), fma / "out")
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://creativecommons.org/licenses/by-nc-sa/2.0/", "CC-BY-NC-SA-2.0"),
        ("https://creativecommons.org/licenses/by/3.0/us/", "CC-BY-3.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("Attribution-Noncommercial-Share Alike 3.0 United States", "CC-BY-NC-SA-3.0"),
        ("Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International", "CC-BY-NC-ND-3.0"),
        ("Attribution 4.0 International", "CC-BY-4.0"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("Attribution-ShareAlike", "Attribution-ShareAlike"),
        ("FMA-Limited: Download Only", "FMA-Limited: Download Only"),
        ("Not attribution 3.0", "Not attribution 3.0"),
        ("http://creativecommons.org/licenses/sampling+/1.0/", "http://creativecommons.org/licenses/sampling+/1.0/"),
    ],
)
def test_licences_get_one_name_and_are_never_guessed(text, name):
    assert licence_name(text) == name


@pytest.mark.parametrize("name", ["CC-BY-NC-SA-3.0", "CC-BY-4.0", "CC0-1.0"])
def test_the_publication_policy_knows_those_names(name):
    assert judge(name).kind != "unknown"
