"""Labels in the context of their track: made once the track is finished, made anew when its clips are others."""

from dataclasses import replace

from fgmcaps.annotators import load_profile
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.pipeline.build.journal_state import read_annotations
from fgmcaps.pipeline.build.track_labels import labels_in_context
from fgmcaps.pipeline.stages.journal import TrackDone, scan, write_results
from fgmcaps.pipeline.stages.label import judged_together
from fgmcaps.schemas import DeadLetter, Fused, NamedAlternative
from fgmcaps.schemas.ids import make_clip_id
from tests.factories import make_annotation, make_track

TRACK = make_track(0)
FUSION = load_profile("best").fusion
CLIPS = [make_clip_id(TRACK.track_id, 10_000 * i) for i in range(5)]


def annotation(number, key="C major", sure=0.7):
    made = make_annotation(0)
    other = "G major" if key == "C major" else "C major"
    fused = Fused(
        tempo_bpm=120.0,
        tempo_probability=0.8,
        beats=tuple(0.5 * i for i in range(20)),
        time_signature="4/4",
        meter_probability=0.9,
        key=key,
        key_probability=sure,
        key_alternatives=(NamedAlternative(other, round((1 - sure) * 0.9, 4)),),
        chords_probability=0.9,
    )
    clip = replace(made.clip, clip_id=CLIPS[number], start_s=10.0 * number, track=TRACK)
    return replace(made, clip=clip, labels=keep(fused, FUSION))


def judged(folder, settings=FUSION):
    found = list(labels_in_context(read_annotations(folder, [TRACK]), [TRACK.track_id], settings))
    if found:
        write_results(folder, found)
    return found


def keys(folder):
    state = read_annotations(folder, [TRACK])
    return [state.annotations[clip].read().labels.fused.key for clip in CLIPS if clip in state.annotations]


def test_a_clip_that_stands_alone_in_its_track_follows_the_others(tmp_path):
    write_results(tmp_path, [annotation(i) for i in (0, 1, 3)] + [annotation(2, "G major", 0.5)])
    assert judged(tmp_path) == []  # the track is not finished
    write_results(tmp_path, [TrackDone(TRACK.track_id, 4)])
    assert len(judged(tmp_path)) == 4
    assert keys(tmp_path) == ["C major"] * 4
    entry = read_annotations(tmp_path, [TRACK]).annotations[CLIPS[2]]
    assert entry.read_alone().labels.fused.key == "G major"
    assert entry.read().estimates == entry.read_alone().estimates
    assert judged(tmp_path) == []  # once is enough


def test_facts_are_those_of_the_labels_in_context(tmp_path):
    write_results(tmp_path, [annotation(0, sure=0.6), *(annotation(i, sure=0.95) for i in (1, 2, 3))])
    write_results(tmp_path, [TrackDone(TRACK.track_id, 4)])
    before = read_annotations(tmp_path, [TRACK]).annotations[CLIPS[0]]
    judged(tmp_path)
    after = read_annotations(tmp_path, [TRACK]).annotations[CLIPS[0]]
    assert before.read().labels.key is None and after.read().labels.key == "C major"
    assert before.facts_key != after.facts_key


def test_another_clip_of_the_track_makes_all_of_them_anew(tmp_path):
    failed = DeadLetter(TRACK.track_id, CLIPS[4], "x.wav", "key", "failed", "reason", "", "")
    write_results(tmp_path, [*(annotation(i) for i in range(4)), failed, TrackDone(TRACK.track_id, 5)])
    assert len(judged(tmp_path)) == 4
    write_results(tmp_path, [annotation(4)])
    state = read_annotations(tmp_path, [TRACK])
    assert all(entry.context is None for entry in state.annotations.values())
    assert len(judged(tmp_path)) == 5
    contexts = [entry for entry in read_annotations(tmp_path, [TRACK]).annotations.values() if entry.context]
    assert len(contexts) == 5


def test_a_track_of_one_clip_needs_none(tmp_path):
    write_results(tmp_path, [annotation(0), TrackDone(TRACK.track_id, 1)])
    assert judged(tmp_path) == []


def test_the_labels_are_those_that_the_clips_together_give(tmp_path):
    clips = [annotation(0), annotation(1), annotation(2, "G major", 0.5)]
    write_results(tmp_path, [*clips, TrackDone(TRACK.track_id, 3)])
    assert [c.labels for c in judged(tmp_path)] == [a.labels for a in judged_together(clips, FUSION)]


def test_lone_clips_stay_as_they_are_where_that_is_asked():
    clips = [annotation(0), annotation(1, "G major", 0.5)]
    assert judged_together(clips, FUSION.model_copy(update={"context": "clip"})) == clips
    assert judged_together(clips, load_profile("paper").fusion) == clips


def test_a_journal_is_read_back_as_it_was_written(tmp_path):
    write_results(tmp_path, [annotation(0), annotation(1), TrackDone(TRACK.track_id, 2)])
    found = judged(tmp_path)
    state = read_annotations(tmp_path, [TRACK])
    assert {e.clip_id: e.context.read() for e in state.annotations.values()} == {c.clip_id: c.labels for c in found}
    assert len(list(scan(tmp_path))) == 5
