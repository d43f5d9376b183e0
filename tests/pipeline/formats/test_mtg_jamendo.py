"""MTG-Jamendo's metadata to a manifest that `fgmcaps build` reads."""

import pytest

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.formats.base import ImportOptions
from fgmcaps.pipeline.formats.mtg_jamendo import jamendo_lines
from tests.pipeline.formats.manifests import manifest_of

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


def test_jamendo_becomes_a_manifest_that_build_reads(jamendo):
    out = jamendo / "audio" / "manifest.csv"
    options = ImportOptions(audio_root=jamendo / "audio", splits="split-0")
    found = manifest_of(jamendo_lines(jamendo / "jamendo", options, out), out)
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
    first, second = jamendo_lines(jamendo / "jamendo/data/autotagging.tsv", ImportOptions(), out)
    assert (first.title, first.artist, first.album) == ("Intro, chiante", "David TMX", "An album")
    assert (second.title, second.artist, second.split) == ("", "artist_000517", "")
    assert first.path == "14/214.mp3"


def test_jamendo_files_that_are_not_there_are_left_out(jamendo):
    (jamendo / "audio/14/214.mp3").unlink()
    out = jamendo / "m.csv"
    rows = list(jamendo_lines(jamendo / "jamendo", ImportOptions(audio_root=jamendo / "audio"), out))
    assert [r.path for r in rows] == ["audio/46/3346.low.mp3"]


@pytest.mark.parametrize(
    ("text", "match"),
    [("a,b\n", "the header is not"), (HEADER + "track_1\tartist\n", "line 2: expected"), ("\xff", "cannot read")],
)
def test_another_table_is_refused_with_its_line(tmp_path, text, match):
    (tmp_path / "x.tsv").write_bytes(text.encode("latin-1"))
    with pytest.raises(FgmcapsError, match=match):
        list(jamendo_lines(tmp_path / "x.tsv", ImportOptions(), tmp_path / "m.csv"))


def test_unknown_splits_and_folders_are_named(jamendo):
    with pytest.raises(FgmcapsError, match="split-9"):
        list(jamendo_lines(jamendo / "jamendo", ImportOptions(splits="split-9"), jamendo / "m.csv"))
    with pytest.raises(FgmcapsError, match=r"no autotagging\.tsv"):
        list(jamendo_lines(jamendo / "audio", ImportOptions(), jamendo / "m.csv"))
