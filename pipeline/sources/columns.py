"""Columns of other people's tables: which of them mean what, and what their cells say."""

import ast
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.one_line import one_line
from fgmcaps.pipeline.sources.splits_of_others import SplitNames
from fgmcaps.schemas import ContractError, TrackMetadata, from_dict

PATH_COLUMNS = ("path", "file", "file_name", "filename", "audio", "audio_path", "audio_file", "filepath", "file_path")
FIELDS = ("title", "artist", "album", "genre", "mood", "licence", "split")
_ALIASES = {
    **dict.fromkeys(("track_title", "song_title", "song", "track_name"), "title"),
    **dict.fromkeys(("artist_name", "artists", "performer", "band"), "artist"),
    **dict.fromkeys(("album_title", "album_name", "release"), "album"),
    **dict.fromkeys(("genres", "genre_name", "style", "styles"), "genre"),
    **dict.fromkeys(("moods", "mood_tags"), "mood"),
    **dict.fromkeys(("license", "licenses", "licences", "license_url", "licence_url", "license_name"), "licence"),
    **dict.fromkeys(("partition", "fold_name", "data_split"), "split"),
}
_NULLS = frozenset(("", "nan", "null", "nil", "n/a", "#n/a", "na", "<na>", "none", "\\n", "-", "--", "?"))
_UNKNOWN = frozenset(("unknown", "[unknown]", "<unknown>", "(unknown)", "unknown artist", "unknown album"))
# "None" and "NA" are titles of songs, and names of neither artists, genres nor licences.
_NULL_TITLES = frozenset(("", "nan", "null", "n/a", "#n/a", "<na>", "\\n", "[unknown]", "<unknown>"))
_SEPARATORS = re.compile(r"[,;|]")


def folded(name: str) -> str:
    """A column's name without case, blanks, dashes and byte order marks."""
    text = unicodedata.normalize("NFKC", name).replace("\ufeff", "").strip().casefold()
    return re.sub(r"[\s-]+", "_", text)


class Columns:
    """Reads rows of one table, and remembers which columns it could not use."""

    def __init__(self, splits: SplitNames, keep: Sequence[str] = ()) -> None:
        self._splits = splits
        self._keep = {folded(name): name for name in keep}
        self._names: dict[str, None] = {}
        self._unused: dict[str, None] = {}
        self._nulls: Counter[str] = Counter()

    def path_of(self, cells: Mapping[str, Any], where: str) -> tuple[str, Any]:
        """``(column, value)`` of the audio path. Raises FgmcapsError where no column has one."""
        named = {folded(name): name for name in cells}
        column = next((named[c] for c in PATH_COLUMNS if c in named and cells[named[c]]), None)
        if column is None:
            has = ", ".join(map(str, cells)) or "none"
            raise FgmcapsError(f"{where}: no audio path; name it in a column {PATH_COLUMNS[0]!r} (columns: {has})")
        return column, cells[column]

    def metadata_of(self, cells: Mapping[str, Any], where: str, *, path_column: str | None = None) -> TrackMetadata:
        """What a row says of its track. Raises FgmcapsError that names the row and the column."""
        data: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        kept: dict[str, str] = {}
        for name, value in cells.items():
            self._names.setdefault(str(name).strip(), None)
            own = self._keep.get(folded(name))
            if own is not None:
                text = _own_text(value, f"{where}: {name.strip()!r}")
                kept |= {} if text is None else {own: text}
            field = _ALIASES.get(folded(name), folded(name))
            if field not in FIELDS:
                if own is None and name != path_column and folded(name) not in PATH_COLUMNS:
                    self._unused.setdefault(str(name).strip(), None)
                continue
            found = _value(field, value, f"{where}: {name.strip()!r}")
            if not found:
                continue
            if field in data and data[field] != found:
                raise FgmcapsError(
                    f"{where}: the columns {spelled[field]!r} and {name.strip()!r} both say the {field}, and differ; "
                    "leave one out"
                )
            data[field], spelled[field] = found, name.strip()
        if "split" in data:
            data["split"] = self._splits.ours(data["split"], where)
        if kept:
            data["kept"] = tuple(sorted(kept.items()))
        try:
            return from_dict(TrackMetadata, data)
        except ContractError as error:
            raise FgmcapsError(f"{where}: {error}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """All columns of the rows that were read, as the table spells them."""
        return tuple(self._names)

    def notes(self) -> list[str]:
        """Which columns were not used, with the nearest name that would have been."""
        if not self._unused:
            return []
        near = (f"{name}{did_you_mean(folded(name), (*FIELDS, *_ALIASES))}" for name in self._unused)
        return [f"columns that were not used: {', '.join(near)}; --keep-columns carries them into the rows"]


def check_kept(keep: Iterable[str], names: Iterable[str], where: str) -> None:
    """Raise FgmcapsError where a column to keep is not among the columns ``names`` of the input ``where``."""
    there = list(dict.fromkeys(names))
    for name in keep:
        if folded(name) not in map(folded, there):
            has = f"its columns are {', '.join(there)}" if there else "it has no table"
            raise FgmcapsError(f"--keep-columns {name}: no such column in {where}{did_you_mean(name, there)}; {has}")


def _value(field: str, value: Any, where: str) -> Any:
    """Text, a tuple of texts for genre and mood, or None for what says nothing."""
    if value is None or value != value:  # NaN stands for no value in tables
        return None
    if field in ("genre", "mood"):
        parts = _parts(value)
        if parts is None:
            raise FgmcapsError(f"{where} must be text or a list of texts")
        texts = dict.fromkeys(part.strip() for part in parts if not _is_null(field, part))
        _check_utf8(texts, where)
        return tuple(texts)
    if field == "artist" and not isinstance(value, str):
        several = _parts(value)
        value = "; ".join(several) if several is not None else value
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise FgmcapsError(f"{where} must be text")
    text = str(value).strip()
    if _is_null(field, text):
        return None
    if (several := _printed_list(text)) is not None:  # "[Intro]" and "(G)I-DLE" are names, not lists
        text = "; ".join(several)
    _check_utf8([text], where)
    return text or None


def _own_text(value: Any, where: str) -> str | None:
    """A cell of a column that is kept: text as it stands, a list or an object as JSON; None for no value."""
    if value is None or value != value:
        return None
    if isinstance(value, bytes):
        raise FgmcapsError(f"{where} holds bytes, which cannot be kept as text; leave it out of --keep-columns")
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise FgmcapsError(f"{where} cannot be kept as text: {error}") from None
    line = one_line(text)
    _check_utf8([line], where)
    return line or None


def _is_null(field: str, text: str) -> bool:
    word = text.strip().casefold()
    return word in _NULL_TITLES if field == "title" else word in _NULLS | _UNKNOWN


def _parts(value: Any) -> list[str] | None:
    """Several texts out of a cell: a list, a list as text, or texts parted by ``,``, ``;`` or ``|``."""
    if isinstance(value, str):
        listed = _listed(value.strip())
        return _SEPARATORS.split(value) if listed is None else listed
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return list(value)
    return None


def _listed(text: str) -> list[str] | None:
    """The texts of a list, however it is printed; None for any other text."""
    found = _printed_list(text)
    if found is None and len(text) > 1 and text[0] + text[-1] == "[]":
        return _quoted_texts(text) or [part for part in _SEPARATORS.split(text[1:-1]) if part.strip()]
    return found


def _printed_list(text: str) -> list[str] | None:
    """The texts of a list of quoted texts as JSON, Python or numpy print it."""
    inner = re.sub(r"^array\((.*?)(?:, dtype=[^)]*)?\)$", r"\1", text, flags=re.DOTALL)
    if len(inner) < 2 or inner[0] + inner[-1] not in ("[]", "()", "{}"):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(inner)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        if not isinstance(found, list | tuple | set) or not all(isinstance(part, str) for part in found):
            continue
        texts = sorted(found) if isinstance(found, set) else list(found)
        # numpy prints no commas, and two strings side by side are one to Python.
        return _quoted_texts(inner) if len(texts) == 1 < len(_quoted_texts(inner)) else texts
    return None


def _quoted_texts(text: str) -> list[str]:
    return [a or b for a, b in re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", text) if a or b]


def _check_utf8(texts: Iterable[str], where: str) -> None:
    try:
        "".join(texts).encode("utf-8")
    except UnicodeEncodeError:
        raise FgmcapsError(f"{where} holds half a character (an unpaired surrogate)") from None
