"""A row and its annotation are the same, there and back."""

import pytest

from fgmcaps.pipeline.formats.shared.annotation_of_row import annotation_of_row
from tests.factories import make_annotation, make_row


@pytest.mark.parametrize("number", range(8))
def test_a_row_comes_back_as_the_annotation_it_was_made_of(number):
    annotation, back = make_annotation(number), annotation_of_row(make_row(number, audio="none"))
    assert back.labels == annotation.labels
    assert (back.clip.clip_id, back.clip.start_s, back.clip.duration_s) == (
        annotation.clip.clip_id,
        annotation.clip.start_s,
        annotation.clip.duration_s,
    )
    assert back.clip.track.metadata == annotation.clip.track.metadata
    assert back.clip.track.source_path == annotation.clip.track.source_path
