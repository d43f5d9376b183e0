"""Which rows go into which shard, and which shards are written already. No Beam."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgmcaps.common.files import write_atomically
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.pipeline.config import WRITE_CODE_VERSION, BuildConfig
from fgmcaps.pipeline.dataset.swap import find_shard
from fgmcaps.pipeline.stages.journal import AnnotationEntry, CaptionEntry
from fgmcaps.schemas import ContractError, DeadLetter, ShardFile, ToolInfo, Track, from_json, to_dict, to_json
from fgmcaps.schemas.ids import shard_of


@dataclass(frozen=True, slots=True)
class RowRef:
    """One row by reference: where its annotation and caption lie, and its track as this build knows it."""

    clip_id: str
    track: Track
    annotation: AnnotationEntry
    caption: CaptionEntry


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard to write; ``rows`` ascend by clip id."""

    split: str
    index: int
    total: int
    rows: tuple[RowRef, ...]
    key: str


@dataclass(frozen=True, slots=True)
class ShardReceipt:
    """A written shard, and the rows that could not be written because their audio could not be read again."""

    shard: ShardFile
    letters: tuple[DeadLetter, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenShard:
    """A receipt and where the file that it describes lies now."""

    receipt: ShardReceipt
    file: Path


def plan_shards(
    rows: Sequence[RowRef],
    config: BuildConfig,
    labels_fingerprint: str,
    captions_fingerprint: str,
    tools: Sequence[ToolInfo],
) -> list[ShardTask]:
    """Group rows into shards by ids alone. The key of a task changes with anything that its bytes depend on."""
    tasks = []
    for split in sorted({r.track.split for r in rows}):
        of_split = sorted((r for r in rows if r.track.split == split), key=lambda r: r.clip_id)
        total = -(-len(of_split) // config.rows_per_shard)
        groups: list[list[RowRef]] = [[] for _ in range(total)]
        for row in of_split:
            groups[shard_of(row.clip_id, total)].append(row)
        for index, group in enumerate(groups):
            key = fingerprint(
                code=WRITE_CODE_VERSION,
                labels=labels_fingerprint,
                captions=captions_fingerprint,
                audio=config.audio,
                tools=[to_dict(tool) for tool in tools],
                name=[split, index, total],
                rows=[_content(row) for row in group],
            )
            tasks.append(ShardTask(split, index, total, tuple(group), key))
    return tasks


def _content(row: RowRef) -> tuple[object, ...]:
    """What a row's bytes depend on besides the settings. The order is part of the key: it never changes."""
    caption = (row.caption.facts_key, row.caption.source, row.caption.round, row.caption.digest)
    content = (row.clip_id, caption, row.track.source, row.track.source_path, to_dict(row.track.metadata))
    context = row.annotation.context
    return content if context is None else (*content, context.clips)


def staging(work: Path) -> Path:
    """Where shards wait until all of them are there."""
    return work / "staging"


def write_receipt(work: Path, task: ShardTask, receipt: ShardReceipt) -> None:
    """Note that the shard of a task is written. Raises OSError, DiskFullError."""
    write_atomically(_receipt(work, task), to_json(receipt).encode())


def find_written(work: Path, out: Path, task: ShardTask) -> WrittenShard | None:
    """The written shard of a task, in staging or in the dataset, if its bytes are those of its receipt."""
    try:
        receipt = from_json(ShardReceipt, _receipt(work, task).read_bytes())
    except (OSError, ContractError):
        return None
    file = find_shard(out, staging(work), receipt.shard)
    return None if file is None else WrittenShard(receipt, file)


def find_receipts(work: Path, wanted: Callable[[DeadLetter], bool]) -> dict[Path, tuple[DeadLetter, ...]]:
    """Receipts of shards that lack a row for a letter that is wanted, with those letters."""
    found = {}
    for path in sorted((work / "shards").glob("*.json")):
        try:
            letters = tuple(filter(wanted, from_json(ShardReceipt, path.read_bytes()).letters))
        except (OSError, ContractError):
            continue
        if letters:
            found[path] = letters
    return found


def _receipt(work: Path, task: ShardTask) -> Path:
    return work / "shards" / f"{task.key[:32]}.json"
