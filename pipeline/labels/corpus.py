"""Where truth comes from: a folder of audio with JAMS files, or a dataset of the ``mirdata`` package."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.formats.jams import read_jams
from fgmcaps.pipeline.sources.base import printable
from fgmcaps.pipeline.sources.folder import AUDIO_SUFFIXES, walk

MIRDATA = "mirdata:"
_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class TruthTrack:
    """One audio file and the JAMS document that holds its truth; ``group``: see ``fgmcaps.schemas.truth.ClipTruth``."""

    audio: Path
    name: str
    document: Mapping[str, Any]
    group: str


def open_truth(
    where: str, *, jams: Path | None = None, data_home: Path | None = None, notes: list[str] | None = None
) -> list[TruthTrack]:
    """Every track of ``where`` (a folder, or ``mirdata:NAME``) that has both audio and truth, by name.

    JAMS files that cannot be used are left out, and named in ``notes``. Raises FgmcapsError where there is no track,
    naming what is missing.
    """
    if where.startswith(MIRDATA):
        tracks = list(_mirdata(where.removeprefix(MIRDATA), data_home))
    else:
        tracks = _folder(Path(where), jams, [] if notes is None else notes)
    return sorted(tracks, key=lambda t: t.name)


def _folder(root: Path, jams_root: Path | None, notes: list[str]) -> list[TruthTrack]:
    if not root.is_dir():
        raise FgmcapsError(f"no such folder: {printable(str(root))}")
    if jams_root is not None and not jams_root.is_dir():
        raise FgmcapsError(f"no such folder: {printable(str(jams_root))}")
    audio = [path for path, _ in walk(root) if path.suffix.lower() in AUDIO_SUFFIXES]
    if not audio:
        raise FgmcapsError(f"no audio below {printable(str(root))}")
    tracks: list[TruthTrack] = []
    problems: list[FgmcapsError] = []
    for path in audio:
        relative = path.relative_to(root)
        beside = (jams_root or root) / relative
        truth = next((p for p in (beside.with_suffix(".jams"), Path(f"{beside}.jams")) if p.is_file()), None)
        if truth is not None:
            try:
                document = read_jams(truth)
            except FgmcapsError as error:
                problems.append(error)
                continue
            tracks.append(TruthTrack(path, relative.as_posix(), document, _group(document)))
    if problems and not tracks:
        raise problems[0]
    notes += [f"left out: {error}" for error in problems[:_NAMED_AT_MOST]]
    if len(problems) > _NAMED_AT_MOST:
        notes.append(f"left out: {len(problems) - _NAMED_AT_MOST} more JAMS files")
    if not tracks:
        raise FgmcapsError(
            f"none of the {len(audio)} audio files below {printable(str(root))} has a JAMS file: for "
            f"{printable(audio[0].name)} it would be {printable(audio[0].with_suffix('.jams').name)}, next to it or at "
            "the same place below --jams"
        )
    return tracks


def _group(document: Mapping[str, Any]) -> str:
    sandbox, metadata = document.get("sandbox"), document.get("file_metadata")
    family = sandbox.get("family") if isinstance(sandbox, Mapping) else None
    artist = metadata.get("artist") if isinstance(metadata, Mapping) else None
    return str(family or artist or "")


def _mirdata(name: str, data_home: Path | None) -> Iterator[TruthTrack]:
    try:
        import mirdata
    except ImportError:
        raise MachineError("mirdata is not installed; run `pip install mirdata` in this environment") from None
    try:
        dataset = mirdata.initialize(name, data_home=None if data_home is None else str(data_home))
    except ValueError as error:
        raise FgmcapsError(f"mirdata: {' '.join(str(error).split())}") from None
    found = 0
    for track_id, track in dataset.load_tracks().items():
        path = Path(str(getattr(track, "audio_path", None) or ""))
        if path.is_file():
            found += 1
            document = jams_of_track(track)
            if document["annotations"]:
                yield TruthTrack(path, f"{track_id}{path.suffix}", document, str(getattr(track, "artist", "") or ""))
    if not found:
        raise FgmcapsError(
            f"mirdata's {name} has no audio in {dataset.data_home}; download it with mirdata, or give --data-home"
        )


def jams_of_track(track: Any) -> dict[str, Any]:
    """A JAMS document of what a mirdata track carries under its usual names: beats, tempo, key and chords."""
    annotations = []

    def add(namespace: str, rows: list[tuple[float, float, Any]]) -> None:
        data = [{"time": t, "duration": d, "value": v, "confidence": None} for t, d, v in rows]
        annotations.append({"namespace": namespace, "data": data})

    beats, tempo = getattr(track, "beats", None), getattr(track, "tempo", None)
    key, chords = getattr(track, "key", None), getattr(track, "chords", None)
    if beats is not None:
        positions = getattr(beats, "positions", None)
        numbers = [None] * len(beats.times) if positions is None else [int(p) for p in positions]
        add("beat", [(float(t), 0.0, p) for t, p in zip(beats.times, numbers, strict=True)])
    if isinstance(tempo, int | float):
        add("tempo", [(0.0, _EVER, float(tempo))])
    if isinstance(key, str):
        add("key_mode", [(0.0, _EVER, _key_mode(key))])
    elif key is not None and hasattr(key, "keys"):
        spans = zip(key.intervals, key.keys, strict=True)
        add("key_mode", [(float(a), float(b - a), _key_mode(name)) for (a, b), name in spans])
    if chords is not None:
        rows = zip(chords.intervals, chords.labels, strict=True)
        add("chord", [(float(a), float(b - a), str(label)) for (a, b), label in rows])
    return {"annotations": annotations, "sandbox": {}}


_EVER = 1e6


def _key_mode(key: str) -> str:
    """mirdata's ``C major``, ``Cm``, ``C minor``, ``C:min`` as ``C:major`` or ``C:minor``."""
    words = key.replace(":", " ").replace("maj", " maj").replace("min", " min").split()
    tonic, mode = (words[0], words[1]) if len(words) > 1 else (key.rstrip("m"), "min" if key.endswith("m") else "maj")
    tonic = tonic[:1].upper() + tonic[1:]
    return f"{tonic}:{'minor' if mode.startswith('min') or mode == 'm' else 'major'}"
