"""``manifest.json``: written last; a reader that finds it finds a whole dataset."""

from dataclasses import dataclass, field, replace
from typing import Any

from fgmcaps.schemas.estimate import ToolInfo


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One Parquet file: path relative to the dataset, rows, size in bytes, SHA-256 of its bytes."""

    path: str
    split: str
    rows: int
    bytes: int
    sha256: str

    def in_folder(self, folder: str) -> "ShardFile":
        """The same file in another folder of the dataset, e.g. ``data``."""
        return replace(self, path=f"{folder}/{self.path.rpartition('/')[2]}")


@dataclass(frozen=True, slots=True)
class Counts:
    """Promise 1: ``clips_found == rows + failed + filtered``; files in = tracks + duplicates."""

    files: int
    duplicates: int
    tracks: int
    clips_found: int
    rows: int
    failed: int
    filtered: int
    failed_by_reason: dict[str, int] = field(default_factory=dict)
    filtered_by_reason: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a reader needs to trust a dataset, and nothing that differs between two equal builds (no clocks)."""

    schema_version: str
    fingerprint: str
    config: dict[str, Any]
    counts: Counts
    shards: tuple[ShardFile, ...]
    tools: tuple[ToolInfo, ...]

    @property
    def kept_columns(self) -> tuple[str, ...]:
        """Names of the user's own columns, which follow the schema's in every shard."""
        names = self.config.get("keep_columns") or ()
        return tuple(str(name) for name in names) if isinstance(names, list | tuple) else ()
