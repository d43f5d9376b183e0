"""Recognising INPUT, and walking a folder of whatever names and links there are."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.errors import FgmcapsError, NothingToDoError
from fgmcaps.pipeline.sources import open_source
from fgmcaps.pipeline.sources.base import location_of, path_of, printable
from fgmcaps.pipeline.sources.folder import FolderSource
from fgmcaps.pipeline.sources.hf_dataset import HubDatasetSource
from fgmcaps.pipeline.sources.manifest_file import ManifestSource
from tests.pipeline.inputs import write_wav


def names(source):
    return [f.source_path for f in source.files()]


def test_audio_is_found_to_the_bottom_sorted_by_relative_path(tmp_path):
    for name in ("b/2.WAV", "b/1.flac", "a.mp3", "b.ogg", "b/c/d.opus", "notes.txt", ".hidden.wav", ".git/x.wav"):
        write_wav(tmp_path / name)
    source = open_source(str(tmp_path))
    assert isinstance(source, FolderSource)
    assert names(source) == ["a.mp3", "b.ogg", "b/1.flac", "b/2.WAV", "b/c/d.opus"]
    assert source.name == tmp_path.name and source.identity == str(tmp_path)


def test_a_found_file_carries_size_location_and_a_stamp_that_changes_when_it_is_written_again(tmp_path):
    path = write_wav(tmp_path / "a.wav")
    (before,) = open_source(str(tmp_path)).files()
    assert before.size == path.stat().st_size and path_of(before.location) == path
    write_wav(path, seed=1)
    os.utime(path, ns=(1, 1))
    (after,) = open_source(str(tmp_path)).files()
    assert (after.size, after.location) == (before.size, before.location) and after.stamp != before.stamp


def test_a_relative_folder_gives_locations_that_any_process_can_open(tmp_path, monkeypatch):
    write_wav(tmp_path / "music" / "a.wav")
    monkeypatch.chdir(tmp_path)
    (found,) = open_source("music").files()
    assert found.location == str(tmp_path / "music" / "a.wav") and found.source_path == "a.wav"


ODD = ["with space.wav", "\u65e5\u672c \u00e9.wav", "new\nline.wav", "'quote\".wav", "[bold]x[/].wav", "-dash.wav"]


def test_odd_names_survive(tmp_path):
    for name in ODD:
        write_wav(tmp_path / name)
    assert names(open_source(str(tmp_path))) == sorted(name.replace("\n", "\\x0a") for name in ODD)


def test_a_name_that_is_not_utf8_has_a_printable_path_and_a_location_that_opens(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    Path(os.fsdecode(raw)).write_bytes(b"audio")
    (found,) = open_source(str(tmp_path)).files()
    assert found.source_path == "caf\\xe9.wav"
    found.location.encode("utf-8")
    assert path_of(found.location).read_bytes() == b"audio"


@given(st.binary(min_size=1, max_size=30))
def test_any_file_name_survives_as_a_location_and_prints(raw):
    path = Path(os.fsdecode(b"/music/" + raw.replace(b"\0", b"x")))
    location_of(path).encode("utf-8")
    assert path_of(location_of(path)) == path
    printable(str(path)).encode("utf-8")


def test_links_to_files_count_and_loops_broken_links_and_pipes_do_not(tmp_path):
    write_wav(tmp_path / "music" / "a.wav")
    write_wav(tmp_path / "elsewhere" / "b.wav")
    music = tmp_path / "music"
    (music / "loop").symlink_to(music)
    (music / "up").symlink_to("..")
    (music / "self.wav").symlink_to("self.wav")
    (music / "gone.wav").symlink_to("nothing.wav")
    (music / "b.wav").symlink_to(tmp_path / "elsewhere" / "b.wav")
    os.mkfifo(music / "pipe.wav")
    (music / "folder.wav").mkdir()
    assert names(open_source(str(music))) == ["a.wav", "b.wav"]


def test_an_input_that_is_itself_a_link_is_followed(tmp_path):
    write_wav(tmp_path / "real" / "a.wav")
    (tmp_path / "music").symlink_to("real")
    assert names(open_source(str(tmp_path / "music"))) == ["a.wav"]


def test_the_output_inside_the_input_is_left_out(tmp_path):
    write_wav(tmp_path / "a.wav")
    write_wav(tmp_path / "out" / "b.wav")
    write_wav(tmp_path / "sub" / "out" / "c.wav")
    assert names(open_source(str(tmp_path), exclude=tmp_path / "out")) == ["a.wav", "sub/out/c.wav"]
    assert names(open_source(str(tmp_path), exclude=tmp_path / "sub" / ".." / "out")) == ["a.wav", "sub/out/c.wav"]


def test_the_shards_of_the_output_are_not_taken_for_an_input(tmp_path):
    (tmp_path / "out" / "data").mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "out" / "data" / "train.parquet")
    with pytest.raises(NothingToDoError):
        list(open_source(str(tmp_path), exclude=tmp_path / "out").files())
    assert isinstance(open_source(str(tmp_path)), HubDatasetSource)


def test_a_folder_without_audio_says_what_it_holds(tmp_path):
    for name in ("1.txt", "2.txt", "cover.jpg", "read me"):
        (tmp_path / name).touch()
    with pytest.raises(NothingToDoError, match=r"it holds 2 x \.txt, 1 x \.jpg, 1 x no suffix"):
        names(open_source(str(tmp_path)))
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    with pytest.raises(NothingToDoError, match="it is empty") as caught:
        names(open_source(str(tmp_path)))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("m.csv", ManifestSource),
        ("m.TSV", ManifestSource),
        ("m.jsonl", ManifestSource),
        ("nobody/none", HubDatasetSource),
    ],
)
def test_inputs_are_recognised(tmp_path, name, kind):
    if "/" not in name:
        (tmp_path / name).touch()
        name = str(tmp_path / name)
    assert isinstance(open_source(name), kind)


def test_a_parquet_file_is_a_manifest_unless_it_holds_audio(tmp_path):
    pq.write_table(pa.table({"path": ["a.wav"]}), tmp_path / "m.parquet")
    pq.write_table(pa.table({"audio": [{"bytes": b"x", "path": None}]}), tmp_path / "d.parquet")
    assert isinstance(open_source(str(tmp_path / "m.parquet")), ManifestSource)
    assert isinstance(open_source(str(tmp_path / "d.parquet")), HubDatasetSource)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(FgmcapsError, match=r"broken\.parquet"):
        open_source(str(tmp_path / "broken.parquet"))


def test_one_audio_file_is_refused_with_the_command_that_takes_it(tmp_path):
    with pytest.raises(FgmcapsError, match="annotate-file"):
        open_source(str(write_wav(tmp_path / "a.wav")))


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FgmcapsError, match=r"notes\.txt.*\.csv"):
        open_source(str(tmp_path / "notes.txt"))


@pytest.mark.parametrize("text", ["/no/such", "./music", "music", "a/b/c", "~/music", "x/"])
def test_a_missing_input_is_never_taken_for_a_dataset_on_the_hub(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FgmcapsError, match="no such input"):
        open_source(text)


def test_a_missing_folder_beside_existing_ones_names_the_nearest(tmp_path, monkeypatch):
    (tmp_path / "data" / "music").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FgmcapsError, match=r"no such input: data/musik \(did you mean 'music'\?\)"):
        open_source("data/musik")
