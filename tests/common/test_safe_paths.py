"""Names and paths out of foreign data lead nowhere else."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.safe_paths import path_inside, path_problem, portable_path, safe_file_name

OUTSIDE = ["/etc/passwd", "../x", "a/../../x", "a/b/../../../x", "..", "//host/x", "/", "a/../.."]


@pytest.mark.parametrize("name", ["a", "clip 1.flac", "a.b..c", "été", ".hidden", "a:b"[1:]])
def test_a_plain_name_is_itself(name):
    assert safe_file_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/a", "a\\b", "a\0b", "a\nb", "\x1b[2J", "C:x", "c:", "x" * 201, "a/", "\x7f"]
)
def test_what_could_lead_elsewhere_is_no_name(name):
    with pytest.raises(ValueError, match="not a file name"):
        safe_file_name(name)


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leads_outside_is_refused(tmp_path, path):
    with pytest.raises(ValueError, match="outside"):
        path_inside(tmp_path, path)


def test_links_count_by_where_they_lead(tmp_path):
    inside, outside = tmp_path / "root", tmp_path / "other"
    inside.mkdir()
    outside.mkdir()
    (inside / "out").symlink_to(outside)
    (inside / "in").symlink_to(inside)
    with pytest.raises(ValueError, match="outside"):
        path_inside(inside, "out/file")
    assert path_inside(inside, "in/file") == inside / "file"


@pytest.mark.parametrize("path", ["a\0b", "\0"])
def test_a_nul_is_no_path(tmp_path, path):
    with pytest.raises(ValueError, match="not a path"):
        path_inside(tmp_path, path)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("a/b.wav", None),
        ("a..b/c.wav", None),
        ("/a", "is absolute"),
        ("\\\\host\\a", "is absolute"),
        ("C:\\a", "is absolute"),
        ("a/../b", "leads upwards (..)"),
        ("a\\..\\b", "leads upwards (..)"),
        ("a\nb", "holds a control character"),
        ("a\x1b[31mb", "holds a control character"),
        ("a\0b", "holds a control character"),
    ],
)
def test_what_is_wrong_with_a_path_is_said(path, problem):
    assert path_problem(path) == problem


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.wav", "a/b.wav"),
        ("/music/a.wav", "music/a.wav"),
        ("../b.wav", "_up/b.wav"),
        ("new\nline.wav", "new\\x0aline.wav"),
        ("C:/a.wav", "C_/a.wav"),
    ],
)
def test_names_for_rows(path, name):
    assert portable_path(path) == name


@given(st.text(min_size=1, max_size=40))
def test_any_name_for_rows_is_a_plain_relative_path(path):
    name = portable_path(path)
    if "\\" not in path:
        assert path_problem(name) is None
    assert not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts


@given(st.text(max_size=30))
def test_a_safe_name_stays_in_its_folder(tmp_path_factory, text):
    root = tmp_path_factory.getbasetemp()
    try:
        name = safe_file_name(text)
    except ValueError:
        return
    assert path_inside(root, name).parent == root.resolve()
