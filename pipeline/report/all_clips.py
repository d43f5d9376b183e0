"""Every clip of a dataset of a few thousand as a line of a table that can be searched and sorted by doubt."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.report.clips import Fact, facts_of_view, short_text
from fgmcaps.schemas import Manifest
from fgmcaps.schemas.arrow import columns_of

MOST_CLIPS = 5000
_COLUMNS = (
    *("id", "title", "source_path", "start_s", "split", "caption", "tempo_bpm", "tempo_marking", "tempo_confidence"),
    *("time_signature", "meter_confidence", "key", "key_confidence", "chord_summary", "chords_confidence", "qc_flags"),
)


@dataclass(frozen=True, slots=True)
class ClipLine:
    """A line: where the clip is from, its caption, its facts, and ``doubt``: 1 less the least probability of a fact."""

    clip_id: str
    where: str
    split: str
    caption: str
    facts: tuple[Fact, ...]
    doubt: float | None


def all_clips(out_dir: Path, manifest: Manifest) -> list[ClipLine]:
    """The lines of all clips in the order of the dataset; empty where there are more than ``MOST_CLIPS``."""
    if manifest.counts.rows > MOST_CLIPS:
        return []
    names = {column.name for column in columns_of(manifest)}
    columns = [*_COLUMNS, *(["fused"] if "fused" in names else [])]
    return list(_lines(out_dir, manifest, columns))


def _lines(out_dir: Path, manifest: Manifest, columns: list[str]) -> Iterator[ClipLine]:
    for _, row in iter_rows(out_dir, manifest, columns):
        facts = facts_of_view(row)
        title = short_text(row["title"] or row["source_path"] or row["id"])
        where = f"{title}, {row['start_s'] or 0:g} s"
        yield ClipLine(row["id"], where, row["split"], row["caption"] or "", facts, doubt_of(row))


def doubt_of(row: Mapping[str, Any]) -> float | None:
    """1 less the least probability of tempo, meter, key and chords; None where no attribute has one."""
    values = [row[f"{name}_confidence"] for name in ("tempo", "meter", "key", "chords")]
    known = [value for value in values if value is not None]
    return round(1 - min(known), 4) if known else None
