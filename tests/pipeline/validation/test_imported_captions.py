"""An imported caption may say anything; one of ours may not, and an empty one is never good."""

import pytest

from fgmcaps.pipeline.validation.row_rules import row_problems
from fgmcaps.pipeline.validation.validate import validate
from tests.factories import build_dataset, make_row

CLAIM = "An absolutely stunning waltz at 300 BPM."


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"caption_source": "imported"}, set()),
        ({"caption_source": "imported", "caption_model": "someone"}, set()),
        ({"caption_source": "imported", "caption_style": "main", "captions": [{"style": "alt", "text": "x"}]}, set()),
        ({"caption_source": "template"}, {"caption"}),
        ({"caption_source": "human"}, {"caption", "provenance"}),
        ({"caption_source": "imported", "caption": ""}, {"null"}),
        ({"caption_source": "imported", "captions": [{"style": "objective", "text": "x"}]}, {"provenance"}),
    ],
)
def test_only_imported_captions_are_not_held_against_facts(changes, rules):
    row = make_row(5, audio="none") | {"caption": CLAIM} | changes
    assert {rule for rule, _ in row_problems(row)} == rules


def test_a_dataset_of_our_own_has_nothing_to_note(tmp_path):
    build_dataset(tmp_path / "out", tracks=2, clips=1)
    notes = []
    assert validate(tmp_path / "out", notes=notes) == []
    assert notes == []
