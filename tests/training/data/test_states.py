"""Which captions are worth training on."""

import pytest

from fgmcaps.training.data.dataset import NO_FACTS, Row


def row(source="template", flags=(), **labels):
    return Row("i", "t", "train", (("objective", "x"),), 0.0, 10.0, caption_source=source, qc_flags=flags, **labels)


@pytest.mark.parametrize(
    ("made", "states"),
    [
        (row(flags=(NO_FACTS,)), {0: True, 1: False, 2: False}),
        (row(), {1: True, 2: False}),  # its genre or mood
        (row(key="C major"), {1: True, 2: False}),
        (row(key="C major", tempo_bpm=100.0, chord_summary=("C:maj",)), {1: True, 3: True, 4: False}),
        (row("imported", (NO_FACTS,)), {1: True, 4: True}),
        (row(None, ()), {1: True, 4: True}),  # shards of another program
    ],
)
def test_captions_of_ours_are_counted_and_those_of_others_always_count(made, states):
    assert {least: made.states(least) for least in states} == states
