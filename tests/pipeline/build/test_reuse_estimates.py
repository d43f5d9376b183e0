"""A changed filter takes over estimates: same tools, new labels, failures tried again, nothing taken twice."""

from collections import Counter
from pathlib import Path

from fgmcaps.annotators import load_profile
from fgmcaps.annotators.fusion import fuse
from fgmcaps.pipeline.build.journal_state import read_annotations
from fgmcaps.pipeline.build.reuse_estimates import journals_with_estimates, mark_estimates, reuse_estimates
from fgmcaps.pipeline.stages.journal import AnnotationEntry, LetterEntry, TrackDone, scan, write_results
from fgmcaps.schemas import Annotation, BeatGrid, Clip, DeadLetter, Estimate, Key
from fgmcaps.schemas.ids import make_clip_id
from tests.factories import make_track

TRACK, OTHER = make_track(0), make_track(1)
PROFILE = load_profile("permissive")
STRICT = PROFILE.with_overrides({"gate": {}, "fusion": {"recipe": "paper"}})


def annotation(track, number):
    clip = Clip(make_clip_id(track.track_id, number * 10_000), number * 10.0, 10.0, track)
    beats = BeatGrid(tuple(0.5 * i for i in range(20)), tuple(1 + i % 4 for i in range(20)))
    estimates = (
        Estimate("beatnet", "1", "beats", beats),
        Estimate("chroma_key", "1", "key", Key("D major"), 0.4),
    )
    return Annotation(clip, fuse(estimates, PROFILE.fusion), estimates)


def letter(track, number, kind):
    clip_id = make_clip_id(track.track_id, number * 10_000)
    return DeadLetter(track.track_id, clip_id, "x.wav", "gate", kind, "silence", "", "")


def old_journal(folder: Path) -> Path:
    journal = folder / "old"
    mark_estimates(journal, "tools")
    letters = [letter(TRACK, 1, "filtered"), letter(TRACK, 2, "failed")]
    write_results(journal, [annotation(TRACK, 0), *letters, annotation(OTHER, 0), TrackDone(TRACK.track_id, 3)])
    return journal


def test_only_journals_of_the_same_tools_are_found(tmp_path):
    old = old_journal(tmp_path)
    mark_estimates(tmp_path / "else", "other tools")
    assert journals_with_estimates(tmp_path, "tools") == [old]


def test_labels_are_fused_anew_and_failures_left_to_try_again(tmp_path):
    old, new = old_journal(tmp_path), tmp_path / "new"
    tracks = [TRACK]
    taken = reuse_estimates(read_annotations(new, tracks), old, new, tracks, STRICT.fusion)
    state = read_annotations(new, tracks)
    assert taken == 2
    assert not state.is_finished(TRACK.track_id)  # the failed clip is missing
    before, after = annotation(TRACK, 0), next(iter(state.annotations.values())).read()
    assert after.estimates == before.estimates
    assert after.labels == fuse(before.estimates, STRICT.fusion) != before.labels
    assert [x.reason for x in state.read_letters()] == ["silence"]


def test_taking_over_twice_adds_nothing(tmp_path):
    old, new = old_journal(tmp_path), tmp_path / "new"
    tracks = [TRACK, OTHER]
    for _ in range(2):
        reuse_estimates(read_annotations(new, tracks), old, new, tracks, PROFILE.fusion)
    entries = list(scan(new))
    counts = Counter(e.clip_id for e in entries if isinstance(e, AnnotationEntry))
    counts += Counter(e.key for e in entries if isinstance(e, LetterEntry))
    assert len(counts) == 3 and set(counts.values()) == {1}
