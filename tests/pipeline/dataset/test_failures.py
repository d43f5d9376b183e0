"""Dead letters on disk."""

import pytest

from fgmcaps.pipeline.dataset.failures import read_failures, write_failures
from fgmcaps.schemas import ContractError
from tests.factories import make_letters


def test_letters_come_back_failed_and_filtered_apart(tmp_path):
    write_failures(tmp_path, make_letters())
    assert set(read_failures(tmp_path)) == set(make_letters())
    assert len((tmp_path / "failures" / "failed.jsonl").read_text().splitlines()) == 2
    assert len((tmp_path / "failures" / "filtered.jsonl").read_text().splitlines()) == 1


def test_the_order_of_arrival_does_not_matter(tmp_path):
    one = [path.read_bytes() for path in write_failures(tmp_path / "a", make_letters())]
    two = [path.read_bytes() for path in write_failures(tmp_path / "b", reversed(make_letters()))]
    assert one == two


def test_no_failures_are_said_by_empty_files(tmp_path):
    assert [path.read_bytes() for path in write_failures(tmp_path, [])] == [b"", b""]


def test_a_broken_line_is_named(tmp_path):
    path, _ = write_failures(tmp_path, make_letters())
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(ContractError, match=r"failed\.jsonl:3"):
        list(read_failures(tmp_path))
