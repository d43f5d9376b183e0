"""Tags: what FFmpeg found, as one type, whatever the file says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.pipeline.audio.tags import MAX_CHARACTERS, MAX_VALUES, Tags, parse_tags, split_artists


def test_names_in_any_case_and_every_field():
    artist, recording = "5b11f4ce-a62d-471e-81fc-a69a8278c7da", "B1A9C0E9-D987-4042-AE91-78D6A3267D69"
    tags = parse_tags(
        {
            "TITLE": " Come as\nyou are ",
            "Artist": "Nirvana",
            "ALBUM": "Nevermind",
            "GENRE": "(17)Rock; Grunge",
            "date": "1991-09-24",
            "LICENSE": "CC BY 4.0",
            "MusicBrainz Artist Id": artist,
            "musicbrainz_trackid": recording,
        }
    )
    assert tags == Tags(
        *("Come as you are", "Nirvana", "Nevermind", ("Rock", "Grunge"), "1991-09-24", "CC BY 4.0"),
        *(("nirvana",), (artist,), (recording.lower(),)),
    )


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Simon & Garfunkel", ("simon & garfunkel",)),
        ("AC/DC", ("ac/dc",)),
        ("Earth, Wind & Fire", ("earth, wind & fire",)),
        ("Santana feat. Rob Thomas", ("santana", "rob thomas")),
        ("Santana (ft. Rob Thomas)", ("santana", "rob thomas")),
        ("Queen; David  Bowie", ("queen", "david bowie")),
        ("Ann\0Bob", ("ann", "bob")),
        ("Various Artists", ()),
        ("Daft Punk", ("daft punk",)),  # "ft" is no word here
        ("[unknown]", ()),
        (None, ()),
    ],
)
def test_everyone_who_is_named_is_an_artist(value, names):
    assert split_artists(value) == names


@pytest.mark.parametrize("word", ["", "Unknown", "[unknown]", "N/A", "none", "untitled", " - "])
def test_words_for_nothing_are_nothing(word):
    assert parse_tags({"title": word, "album": word, "genre": word, "artist": "Unknown Artist"}).title is None
    assert parse_tags({"genre": word}).genre == () and parse_tags({"album": word}).album is None


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by/4.0/"),
        ("(c) 2004 EMI. All rights reserved", "(c) 2004 EMI. All rights reserved"),
        ("2007 Doug Kaufman", None),
    ],
)
def test_a_copyright_line_is_a_licence_only_where_it_states_one(text, licence):
    assert parse_tags({"copyright": text}).licence == licence


@given(st.dictionaries(st.sampled_from(["title", "ARTIST", "genre", "album", "license", "date"]), st.text()))
def test_any_text_gives_short_lines_of_printable_characters(raw):
    tags = parse_tags(raw)
    lines = [x for x in (tags.title, tags.artist, tags.album, tags.date, tags.licence) if x is not None] + [*tags.genre]
    assert all(0 < len(x) <= MAX_CHARACTERS and x.isprintable() and x == x.strip() for x in lines)
    assert len(tags.genre) <= MAX_VALUES and len(tags.artists) <= MAX_VALUES
