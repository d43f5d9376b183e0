"""Real songs as truth: what the annotations say, and what is played of it."""

from itertools import pairwise

import mido
import numpy as np
import pytest

from benchmarks.truth.songs.billboard import mode_of, read_song, read_songs
from benchmarks.truth.songs.chords import played
from benchmarks.truth.songs.corpus import SPLITS, split_of_song
from benchmarks.truth.songs.live import Feel, bar_times, from_events, played_live
from benchmarks.truth.songs.mastering import Master, mastered
from benchmarks.truth.songs.pop909 import _bars, _key
from benchmarks.truth.songs.voice import Sung, sing
from benchmarks.truth.songs.windows import windows_of

SONG = """# title: A Song
# artist: Somebody
# metre: 4/4
# tonic: A

0.0\tsilence
1.0\tA, intro, | A:min | D:7/5 E:maj | x2, (guitar)
9.0\t| A:min . | (2/4) E:maj |
12.0\t| F:maj -> |, ->
14.0\t| A:min &pause |
# tonic: C
16.0\t| C:maj | C:maj |
20.0\tend
"""


def test_bars_share_the_time_of_their_line_and_repeats_are_written_out():
    bars = read_song(SONG, "0001").bars
    assert [(bar.start_s, bar.seconds) for bar in bars[:4]] == [(1, 2), (3, 2), (5, 2), (7, 2)]
    assert [bar.chords for bar in bars[:2]] == [("A:min",), ("D:7/5", "E:maj")]
    assert bars[4].chords == ("A:min", "A:min")


def test_what_is_not_in_time_is_marked():
    bars = read_song(SONG, "0001").bars
    assert [bar.regular for bar in bars] == [True] * 4 + [False, False] + [False] + [False] + [True, True]
    assert bars[5].meter == "2/4"


def test_the_tonic_changes_inside_a_song_and_a_mode_needs_four_seconds():
    song = read_song(SONG, "0001")
    assert [bar.tonic for bar in song.bars] == [9] * 8 + [0] * 2
    assert mode_of(song, 9) == "minor"
    assert mode_of(song, 0) == "major"
    assert mode_of(song, 5) is None


def test_a_song_in_two_slots_counts_once(tmp_path):
    for name in ("0001", "0002"):
        (tmp_path / f"{name}.txt").write_text(SONG)
    assert [song.slot for song in read_songs(tmp_path)] == ["0001"]
    with pytest.raises(FileNotFoundError, match="no annotations"):
        read_songs(tmp_path / "none")


@pytest.mark.parametrize(
    ("label", "mma", "harte"),
    [
        ("A:min7/5", "Am7/E", "A:min7/5"),
        ("Db:maj/b7", "Db/B", "Db:maj/b7"),
        ("C:sus4(b7,9)", "C7sus", "C:sus4"),
        ("E:7(#9)", "E7#9", "E:7"),
        ("F#:1", "Gb5", "Gb:5"),
        ("G:maj/9", "G/A", "G:maj/9"),
    ],
)
def test_chords_are_named_as_mma_plays_them(label, mma, harte):
    chord = played(label)
    assert (chord.mma_name(True), chord.harte_name(True)) == (mma, harte)


@pytest.mark.parametrize("label", ["N", "X", "C:nonsense", "C:maj/x"])
def test_what_cannot_be_played_is_none(label):
    assert played(label) is None


def test_windows_do_not_overlap_and_hold_regular_bars_of_one_meter():
    lines = "\n".join(f"{4 * i}.0\t| C:maj | G:7 |" for i in range(40))
    song = read_song(f"# title: x\n# artist: y\n# metre: 4/4\n# tonic: C\n\n{lines}\n160.0\tend", "0003")
    found = windows_of(song, np.random.default_rng(0), 3)
    assert len(found) == 3
    spans = [(w.bars[0].start_s, w.bars[-1].start_s + w.bars[-1].seconds) for w in found]
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert {w.key for w in found} == {"C major"}
    assert all(w.start_s + 10 <= w.bars[-1].start_s + w.bars[-1].seconds - w.bars[0].start_s for w in found)


def test_the_shares_of_the_splits_are_kept_and_a_name_decides():
    found = [split_of_song(f"song {i}") for i in range(4000)]
    for split, share in SPLITS.items():
        assert abs(found.count(split) / 4000 - share) < 0.03
    assert split_of_song("song 1") == split_of_song("song 1")


def notes(midi):
    now, out = 0.0, []
    for message in midi:
        now += message.time
        if message.type == "note_on" and message.velocity:
            out.append(now)
    return out


def test_live_timing_follows_the_warp():
    events = [(t, 2, mido.Message("note_on", note=60, velocity=90)) for t in (0.5, 1.0, 1.5)]
    events += [(t + 0.2, 1, mido.Message("note_off", note=60)) for t in (0.5, 1.0, 1.5)]
    strict = Feel(drift=0, loose_ms=0, uneven=0, cents=20)
    midi = played_live(from_events(events), lambda t: 2 * t, strict, np.random.default_rng(0))
    np.testing.assert_allclose(notes(midi), [1.0, 2.0, 3.0], atol=2e-4)
    bends = [m.pitch for track in midi.tracks for m in track if m.type == "pitchwheel"]
    assert bends == [round(0.2 / 2 * 8191)]


def test_an_event_before_the_start_is_refused():
    with pytest.raises(ValueError, match="before the start"):
        from_events([(-0.1, 1, mido.Message("note_off", note=60)), (0.5, 2, mido.Message("note_on", note=60))])


def test_bars_without_drift_are_even_and_with_it_wander_little():
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(np.diff(bar_times(rng, np.full(8, 2.0), 0.0)), 2.0)
    lengths = np.diff(bar_times(rng, np.full(400, 2.0), 0.01))
    assert 0.01 < np.std(lengths) / 2 * 2 < 0.04


def test_the_voice_sings_the_pitch_that_it_is_given():
    sound = sing(np.random.default_rng(0), [Sung(0.2, 2.0, 69, 1.0)], 2.2, 0.0)
    spectrum = np.abs(np.fft.rfft(sound[22050:66150]))
    peaks = np.flatnonzero(spectrum > spectrum.max() * 0.2)
    assert min(abs(peaks - 440)) < 12
    assert sing(np.random.default_rng(0), [], 1.0, 0.0).max() == 0


def test_mastering_is_louder_and_never_over_the_top():
    rng = np.random.default_rng(0)
    band = (rng.standard_normal(44100) * np.linspace(0.05, 0.4, 44100)).astype(np.float32)
    loud = mastered(band, None, Master(None, 12.0, 4.0, 0.01))
    assert np.abs(loud).max() <= 1
    assert np.sqrt(np.mean(loud**2)) > 2 * np.sqrt(np.mean((band / np.abs(band).max()) ** 2))


def test_bars_of_pop909_are_those_whose_marks_come_evenly():
    first = np.array([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1], bool)
    positions, lengths = _bars(np.zeros(11, bool), first)
    assert positions.tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 0, 0, 0]
    assert lengths.tolist() == [4] * 8 + [0] * 3
    assert _key("Gb:maj") == "F# major"
