"""Archives and JSON lines from outside, hostile ones included."""

import io
import tarfile

import pytest

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.formats.shared import audio_store, json_lines
from fgmcaps.pipeline.formats.shared.audio_store import Wanted, archive_members, folder_audio, is_archive, tail
from fgmcaps.pipeline.formats.shared.json_lines import json_rows
from tests.pipeline.formats.layouts import write_tar


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("datashare/data/x.wav", "data/x.wav"),
        ("./data/x.wav", "data/x.wav"),
        ("x.wav", "x.wav"),
        ("a\\b\\x.wav", "b/x.wav"),
    ],
)
def test_files_are_known_by_their_last_two_names(path, expected):
    assert tail(path) == expected


@pytest.mark.parametrize(("name", "yes"), [("a.tar.gz", True), ("A.TAR", True), ("a.tgz", True), ("a.zip", False)])
def test_archives_by_name(tmp_path, name, yes):
    assert is_archive(tmp_path / name) is yes


def test_only_wanted_regular_members_are_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(audio_store, "MAX_MEMBER_BYTES", 100)
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in (
            ("a/data/x.wav", b"first"),
            ("b/data/x.wav", b"second"),
            ("../../data/up.wav", b"up"),
            ("a/data/huge.wav", b"z" * 101),
            ("a/data/other.wav", b"not asked for"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("a/data/link.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    wanted = {"data/x.wav", "data/up.wav", "data/huge.wav", "data/link.wav"}
    found = dict(archive_members(path, Wanted(wanted).take))
    assert found == {"data/x.wav": b"first", "data/up.wav": b"up", "data/huge.wav": None}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.tar"], "nothing is extracted"


def test_locations_that_end_alike_are_told_apart_by_the_whole_path():
    wanted = Wanted(["x/data/1.wav", "y/data/1.wav", "data/2.wav"])
    assert wanted.take("down/load/y/data/1.wav") == "y/data/1.wav"
    assert wanted.take("y/data/1.wav") is None  # answered already
    assert wanted.take("z/data/1.wav") is None  # neither: a guess could be wrong
    assert wanted.take("zx/data/1.wav") is None
    assert wanted.take("z/data/2.wav") == "data/2.wav"
    assert wanted.left() == ["x/data/1.wav"]
    assert wanted.take("x/data/1.wav") == "x/data/1.wav"


def test_the_longest_location_that_fits_is_taken():
    wanted = Wanted(["data/1.wav", "x/data/1.wav"])
    assert wanted.take("a/x/data/1.wav") == "x/data/1.wav"
    assert wanted.take("a/y/data/1.wav") == "data/1.wav"


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 100, b"\x1f\x8b\x08 broken gzip"])
def test_what_is_no_archive_is_named(tmp_path, data):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(data)
    with pytest.raises(FgmcapsError, match=r"x\.tar\.gz: the archive is damaged"):
        list(archive_members(path, lambda name: True))


def test_a_cut_archive_is_named(tmp_path):
    path = tmp_path / "x.tar.gz"
    write_tar(path, {f"d/data/{i}.wav": bytes(range(256)) * 400 for i in range(20)})
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FgmcapsError, match="download it again"):
        list(archive_members(path, lambda name: True))


def test_folders_are_searched_to_the_bottom_and_at_the_top(tmp_path):
    root = tmp_path / "audiodata"
    for name in ("deep/er/data/x.wav", "1.wav", "data/readme.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    wanted = {"data/x.wav", "audiodata/1.wav", "data/readme.txt"}
    assert dict(folder_audio(root, Wanted(wanted).take)) == {
        "data/x.wav": root / "deep/er/data/x.wav",
        "audiodata/1.wav": root / "1.wav",
    }
    assert dict(folder_audio(root, Wanted(["1.wav"]).take)) == {"1.wav": root / "1.wav"}


def test_lines_without_end_and_without_sense_cost_only_themselves(monkeypatch):
    monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", 50)
    lines = b'{"a": 1}\n' + b'{"b": "' + b"x" * 500 + b'"}\n' + b"\n[1]\nnull\n" + b"[" * 40 + b'\n\xff\n{"c": 2}'
    assert list(json_rows(io.BytesIO(lines))) == [
        (1, {"a": 1}),
        (2, None),
        (4, None),
        (5, None),
        (6, None),
        (7, None),
        (8, {"c": 2}),
    ]
