"""Which clip is what: splits that do not leak, meters and keys in their shares, the same for the same seed."""

from collections import Counter, defaultdict

import pytest

from benchmarks.truth.families import EXCLUDED, rule_of, split_of
from benchmarks.truth.made import made_styles
from benchmarks.truth.plan import METERS, SPLITS, draw
from benchmarks.truth.styles import MMA_LIBRARY, library, read_style_file

needs_mma = pytest.mark.skipif(not MMA_LIBRARY.is_dir(), reason="MMA's library is not installed (apt install mma)")
ALL = tuple(SPLITS)


@needs_mma
def test_no_family_is_in_two_splits_and_no_test_font_is_trained_on() -> None:
    splits = defaultdict(set)
    fonts = defaultdict(set)
    files = defaultdict(set)
    for number in range(1500):
        drawn = draw(0, number, 0, ALL)
        splits[drawn.style.family].add(drawn.split)
        files[drawn.style.library, drawn.style.file].add(drawn.split)
        fonts[drawn.split].add(drawn.soundfont)
    assert {family: s for family, s in splits.items() if len(s) > 1} == {}
    assert {file: s for file, s in files.items() if len(s) > 1} == {}
    assert "MuseScoreLite" in fonts["test"] - fonts["train"] - fonts["validation"]


@needs_mma
def test_each_hundred_clips_hold_splits_and_meters_in_their_shares_and_24_clips_each_key() -> None:
    drawn = [draw(5, number, 0, ALL) for number in range(100, 200)]
    assert Counter(d.split for d in drawn) == {split: round(100 * share) for split, share in SPLITS.items()}
    assert Counter(d.style.meter for d in drawn) == {meter: round(100 * share) for meter, share in METERS.items()}
    assert len({draw(5, number, 0, ALL).key for number in range(240, 264)}) == 24


@needs_mma
def test_the_same_seed_draws_the_same_and_an_attempt_keeps_what_is_stratified() -> None:
    first, again, retry = draw(3, 17, 0, ALL), draw(3, 17, 0, ALL), draw(3, 17, 1, ALL)
    assert (first.style, first.mix, first.key) == (again.style, again.mix, again.key)
    assert (first.split, first.style.meter, first.key) == (retry.split, retry.style.meter, retry.key)
    assert first.mix != retry.mix


@needs_mma
def test_only_the_wanted_splits() -> None:
    assert {draw(0, number, 0, ("test",)).split for number in range(50)} == {"test"}


@needs_mma
def test_every_library_file_is_in_a_family_or_excluded() -> None:
    for path in MMA_LIBRARY.glob("*/*.mma"):
        name = f"{path.parent.name}/{path.stem}"
        assert EXCLUDED.search(name) or rule_of(name)


@needs_mma
@pytest.mark.parametrize(
    ("groove", "meter", "mma_beats", "felt_per_mma"),
    [
        ("stdlib/bossanova:BossaNova", "4/4", 4, 1.0),
        ("stdlib/waltz:Waltz", "3/4", 3, 1.0),
        ("stdlib/68swing:68Swing", "6/8", 6, 1 / 3),  # MMA counts eighths
        ("stdlib/68march:68March", "6/8", 2, 1.0),  # "2 beats per bar in a 6/8 march"
        ("casio/68ballad:68Ballad", "6/8", 6, 2 / 3),  # six quarters: two bars of 6/8
        ("stdlib/jazz-54:Jazz54", "5/4", 5, 1.0),
        ("stdlib/polka:Polka", "2/4", 4, 0.5),  # "a polka is usually in 2/4. So, double up on the tempo"
        ("casio/polka:Polka", "2/4", 4, 1.0),
        ("zoom/rock34:ROCK28", "3/4", 3, 1.0),
    ],
)
def test_how_styles_are_counted(groove: str, meter: str, mma_beats: int, felt_per_mma: float) -> None:
    (style,) = (s for s in library() if s.groove == groove)
    assert (style.meter, style.mma_beats) == (meter, mma_beats)
    assert style.felt_per_mma == pytest.approx(felt_per_mma)


@needs_mma
def test_introductions_endings_and_ambiguous_files_are_left_out() -> None:
    grooves = {style.groove.lower() for style in library()}
    assert not [g for g in grooves if "intro" in g or "end" in g.split(":")[1] or ":metronome" in g]
    assert read_style_file(MMA_LIBRARY / "stdlib" / "ballad68.mma") == []


def test_made_styles_are_dealt_to_all_splits_in_every_meter() -> None:
    dealt = Counter((style.meter, style.split) for style in made_styles())
    assert len(dealt) == 12
    assert all(count >= 6 for count in dealt.values())
    assert {split_of(style.family) for style in made_styles()} == set(SPLITS)


def test_a_style_without_a_family_is_named() -> None:
    with pytest.raises(LookupError, match="stdlib/gamelan"):
        rule_of("stdlib/gamelan")
