"""Import a dataset: write its clips as a finished dataset of ours.

In two passes, so that only ids are held in memory: the first reads every clip once, in the source's order, and spools
its parts to disk; the second writes the shards in the order of ids. The folder appears at the end, whole; an import
that was killed starts over (nothing in it is expensive but decoding).
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fgmcaps.common.errors import NothingToDoError
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.common.new_folder import new_folder
from fgmcaps.pipeline.audio.decode import Decoder
from fgmcaps.pipeline.dataset.card import write_card
from fgmcaps.pipeline.dataset.failures import write_failures
from fgmcaps.pipeline.dataset.manifest import ManifestError, read_manifest, write_manifest
from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.pipeline.formats.base import ForeignDataset
from fgmcaps.pipeline.formats.run.take_in import ClipParts, take_in
from fgmcaps.schemas import (
    FGMCAPS_SCHEMA_VERSION,
    Annotation,
    Caption,
    Counts,
    DeadLetter,
    Manifest,
    ShardFile,
    ToolInfo,
    from_json,
    to_json,
)
from fgmcaps.schemas.ids import shard_of

ROWS_PER_SHARD = 1000
IMPORT_CODE_VERSION = 1
_SPOOL = ".spool"
_SPLIT_RANK: Mapping[str, int] = {"test": 0, "validation": 1, "train": 2}  # which split keeps a recording that two hold


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where a clip's parts are spooled. Of equal recordings the first in order stays: by split, then by name."""

    rank: int
    source_path: str
    split: str = field(compare=False)
    number: int = field(compare=False)


def import_dataset(
    source: ForeignDataset,
    out: Path,
    *,
    replace: bool = False,
    rows_per_shard: int = ROWS_PER_SHARD,
    on_start: Callable[[int | None], None] = lambda total: None,
    on_clip: Callable[[], None] = lambda: None,
) -> Manifest:
    """Read every clip of ``source`` into a finished dataset in ``out`` and return its manifest.

    Equal recordings become one row, in the split that is evaluated on, so that no recording is in two splits.
    ``on_start`` is given the number of clips where it is known, ``on_clip`` is called after each.

    Raises FgmcapsError (``out`` occupied, a damaged archive) and NothingToDoError (no clip could be read).
    """
    with new_folder(out, replace=replace, ours=was_imported) as folder:
        spool = folder / _SPOOL
        spool.mkdir()
        places: dict[str, _Place] = {}
        letters: list[DeadLetter] = []
        duplicates = 0
        on_start(source.total)
        with Decoder() as decoder:
            for number, found in enumerate(source.clips()):
                parts = found if isinstance(found, DeadLetter) else take_in(found, source.source, source.tool, decoder)
                if isinstance(parts, DeadLetter):
                    letters.append(parts)
                else:
                    clip_id, track = parts.annotation.clip.clip_id, parts.annotation.clip.track
                    place = _Place(_SPLIT_RANK.get(track.split, 3), track.source_path, track.split, number)
                    before = places.get(clip_id)
                    duplicates += before is not None
                    if before is None or place < before:
                        places[clip_id] = place
                        _spool(spool, number, parts)
                on_clip()
        if not places:
            raise NothingToDoError(f"nothing to import: {_reasons(letters)}")
        shards = tuple(_write_shards(folder, spool, places, rows_per_shard, (source.tool,)))
        shutil.rmtree(spool)
        write_failures(folder, letters)
        manifest = _manifest(source, shards, len(places), letters, duplicates)
        write_manifest(folder, manifest)
        write_card(folder)
    return manifest


def was_imported(out: Path) -> bool:
    """True if ``out`` is a dataset that ``import_dataset`` made."""
    try:
        return "import" in read_manifest(out).config
    except ManifestError:
        return False


def _spool(spool: Path, number: int, parts: ClipParts) -> None:
    (spool / f"{number}.flac").write_bytes(parts.flac)
    (spool / f"{number}.json").write_text(f"{to_json(parts.annotation)}\n{to_json(parts.caption)}", encoding="utf-8")


def _write_shards(
    folder: Path, spool: Path, places: dict[str, _Place], rows_per_shard: int, tools: Sequence[ToolInfo]
) -> Iterator[ShardFile]:
    for split in sorted({place.split for place in places.values()}):
        ids = sorted(clip_id for clip_id, place in places.items() if place.split == split)
        total = -(-len(ids) // rows_per_shard)
        groups: list[list[str]] = [[] for _ in range(total)]
        for clip_id in ids:
            groups[shard_of(clip_id, total)].append(clip_id)
        for index, group in enumerate(groups):
            rows = (_row(spool, places[clip_id].number, clip_id, tools) for clip_id in group)
            yield write_shard(folder, split, index, total, rows)


def _row(spool: Path, number: int, clip_id: str, tools: Sequence[ToolInfo]) -> dict[str, Any]:
    annotation, caption = (spool / f"{number}.json").read_text(encoding="utf-8").split("\n")
    flac = (spool / f"{number}.flac").read_bytes()
    return row_of(from_json(Annotation, annotation), from_json(Caption, caption), flac, f"{clip_id}.flac", tools)


def _manifest(
    source: ForeignDataset, shards: tuple[ShardFile, ...], rows: int, letters: Sequence[DeadLetter], duplicates: int
) -> Manifest:
    reasons = {kind: Counter(x.reason for x in letters if x.kind == kind) for kind in ("failed", "filtered")}
    failed, filtered = (sum(reasons[kind].values()) for kind in ("failed", "filtered"))
    config = {"import": dict(source.settings), "audio": "embed"}
    content = hashlib.sha256("".join(shard.sha256 for shard in shards).encode()).hexdigest()
    counts = Counts(
        files=rows + failed + filtered + duplicates,
        duplicates=duplicates,
        tracks=rows + failed + filtered,
        clips_found=rows + failed + filtered,
        rows=rows,
        failed=failed,
        filtered=filtered,
        failed_by_reason=dict(sorted(reasons["failed"].items())),
        filtered_by_reason=dict(sorted(reasons["filtered"].items())),
    )
    key = fingerprint(code=IMPORT_CODE_VERSION, config=config, content=content)
    return Manifest(FGMCAPS_SCHEMA_VERSION, key, config, counts, shards, (source.tool,))


def _reasons(letters: Sequence[DeadLetter]) -> str:
    counts = Counter(x.reason for x in letters)
    first = f"; first: {letters[0].message}" if letters else ""
    return (", ".join(f"{n} x {reason}" for reason, n in counts.most_common(4)) or "the source has no clips") + first
