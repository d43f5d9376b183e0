"""Tags of an audio file: title, artists, album, genre, date, licence, MusicBrainz ids. All of it is hostile input."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from fgmcaps.common.one_line import one_line
from fgmcaps.schemas.ids import known_artist

MAX_CHARACTERS = 300
MAX_VALUES = 8
NAMES = (
    *("title", "artist", "artists", "album_artist", "albumartist", "album", "genre", "date", "year"),
    *("license", "licence", "copyright"),
    *("musicbrainz_trackid", "musicbrainz track id", "musicbrainz_artistid", "musicbrainz artist id"),
    *("musicbrainz_recordingid", "musicbrainz recording id", "musicbrainz_albumartistid"),
    *("musicbrainz album artist id",),
)
"""Names, in lower case, under which FFmpeg gives what we read, whatever the kind of tag."""

_UNKNOWN = frozenset(
    ("", "-", "?", "unknown", "[unknown]", "<unknown>", "none", "null", "n/a", "nan", "untitled", "no title", "other")
)
_SEVERAL = re.compile(r"\s*[;\0]\s*")
_GUESTS = re.compile(r"\s+[(\[]?(?:feat|ft|featuring|vs)\b\.?\s*", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ID3_NUMBER = re.compile(r"^\(\d{1,3}\)")
_STATES_A_LICENCE = re.compile(r"creative ?commons|creativecommons\.org|\bcc[ -]?(?:by|0)\b|all rights reserved", re.I)


@dataclass(frozen=True, slots=True)
class Tags:
    """What the tags say; None or empty where they say nothing. Ids are MusicBrainz's, in lower case."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: tuple[str, ...] = ()
    date: str | None = None
    licence: str | None = None
    artists: tuple[str, ...] = ()
    """Everyone who is named as an artist: of the track and of the album, guests on their own."""
    artist_ids: tuple[str, ...] = ()
    recording_ids: tuple[str, ...] = ()


def parse_tags(raw: Mapping[str, str]) -> Tags:
    """The tags that FFmpeg found, names in any case."""
    named = {name.casefold(): value for name, value in raw.items()}

    def first(*names: str) -> str | None:
        return next((value for name in names if (value := _clean(named.get(name, ""))) is not None), None)

    def ids(*names: str) -> tuple[str, ...]:
        found = (match.lower() for name in names for match in _UUID.findall(named.get(name, "")))
        return tuple(dict.fromkeys(found))[:MAX_VALUES]

    copyright_ = first("copyright")
    return Tags(
        title=first("title"),
        artist=first("artist", "album_artist", "albumartist"),
        album=first("album"),
        genre=_genres(named.get("genre", "")),
        date=first("date", "year"),
        licence=first("license", "licence")
        or (copyright_ if copyright_ is not None and _STATES_A_LICENCE.search(copyright_) else None),
        artists=split_artists(*(named.get(name, "") for name in ("artist", "artists", "album_artist", "albumartist"))),
        artist_ids=ids(
            *("musicbrainz_artistid", "musicbrainz artist id"),
            *("musicbrainz_albumartistid", "musicbrainz album artist id"),
        ),
        recording_ids=ids(
            *("musicbrainz_trackid", "musicbrainz track id", "musicbrainz_recordingid", "musicbrainz recording id"),
        ),
    )


def split_artists(*values: str | None) -> tuple[str, ...]:
    """Everyone that the values name, by :func:`known_artist`'s spelling: ``"A feat. B"`` and ``"A; B"`` name two.

    ``&``, ``and``, ``,`` and ``/`` part no names: Simon & Garfunkel and AC/DC are one artist each.
    """
    parts = (part for value in values if value for one in _SEVERAL.split(value) for part in _GUESTS.split(one))
    names = (known_artist(part.strip(" ()[]")) for part in parts)
    return tuple(dict.fromkeys(name for name in names if name is not None))[:MAX_VALUES]


def _clean(text: str) -> str | None:
    """One line without control characters; None where it says nothing."""
    line = one_line(text[: 4 * MAX_CHARACTERS])
    line = " ".join("".join(c for c in line if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn")).split())
    line = line[:MAX_CHARACTERS].strip()
    return None if line.casefold() in _UNKNOWN else line


def _genres(text: str) -> tuple[str, ...]:
    found = (_clean(_ID3_NUMBER.sub("", part)) for one in _SEVERAL.split(text) for part in one.split(","))
    return tuple(dict.fromkeys(genre for genre in found if genre is not None and not genre.isdigit()))[:MAX_VALUES]
