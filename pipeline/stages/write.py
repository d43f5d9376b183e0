"""The writing stage: rows of one shard by reference, audio read again and embedded by policy."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam

from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.config import WRITE_CODE_VERSION, BuildConfig, fingerprint
from fgmcaps.pipeline.dataset.manifest import sha256_of
from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.pipeline.dataset.shards import shard_name, write_shard
from fgmcaps.pipeline.sources.inventory import open_location
from fgmcaps.pipeline.stages.annotate import dead_letter
from fgmcaps.pipeline.stages.in_flight import follow_build
from fgmcaps.pipeline.stages.journal import Entry
from fgmcaps.schemas import (
    Annotation,
    Caption,
    ContractError,
    DeadLetter,
    ShardFile,
    ToolInfo,
    Track,
    from_json,
    to_dict,
    to_json,
)
from fgmcaps.schemas.ids import shard_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RowRef:
    """One row by reference: where its annotation and caption lie, and its track as this build knows it."""

    clip_id: str
    track: Track
    annotation: Entry
    caption: Entry


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
                rows=[
                    (r.clip_id, r.caption.note, r.track.source, r.track.source_path, to_dict(r.track.metadata))
                    for r in group
                ],
            )
            tasks.append(ShardTask(split, index, total, tuple(group), key))
    return tasks


class WriteShards(beam.DoFn):
    """ShardTask -> a shard in the staging folder and its receipt. A shard whose receipt holds is not written again."""

    def __init__(self, work: Path, out: Path, config: BuildConfig, tools: tuple[ToolInfo, ...]) -> None:
        super().__init__()
        self.work, self.out, self.config, self.tools = work, out, config, tools

    def setup(self) -> None:
        follow_build()
        self.decoder = Decoder(timeout_s=self.config.decode_timeout_s, max_hours=self.config.max_track_hours)

    def teardown(self) -> None:
        self.decoder.close()

    def process(self, task: ShardTask) -> None:
        if find_written(self.work, self.out, task) is not None:
            return
        letters: list[DeadLetter] = []
        shard = write_shard(staging(self.work), task.split, task.index, task.total, self.rows(task, letters))
        write_atomically(_receipt(self.work, task), to_json(ShardReceipt(shard, tuple(letters))).encode())

    def rows(self, task: ShardTask, letters: list[DeadLetter]) -> Iterator[dict[str, Any]]:
        """Rows in order; a clip whose audio cannot be read again goes to ``letters``."""
        for ref in task.rows:
            annotation = ref.annotation.read(Annotation)
            clip = replace(annotation.clip, track=ref.track)
            audio, path = None, None
            if self.config.audio == "embed":
                try:
                    source = open_location(ref.track.location)
                    samples, rate = self.decoder.read(source, clip.start_s, clip.duration_s, name=ref.track.source_path)
                except (DecodeError, OSError, ValueError) as error:
                    text = f"its audio cannot be read again: {error}"
                    letters.append(dead_letter(ref.track, clip, "write", "unreadable", error, text, retryable=True))
                    continue
                audio, path = encode_flac(samples, rate), f"{ref.clip_id}.flac"
            elif self.config.audio == "path":
                path = ref.track.source_path
            yield row_of(replace(annotation, clip=clip), ref.caption.read(Caption), audio, path, self.tools)


def staging(work: Path) -> Path:
    """Where shards wait until all of them are there."""
    return work / "staging"


def _receipt(work: Path, task: ShardTask) -> Path:
    return work / "shards" / f"{task.key[:32]}.json"


def find_written(work: Path, out: Path, task: ShardTask) -> tuple[ShardReceipt, Path] | None:
    """The receipt of a task and the file that it speaks of, if both are there and the bytes are the right ones."""
    try:
        receipt = from_json(ShardReceipt, _receipt(work, task).read_bytes())
    except (OSError, ContractError):
        return None
    name = shard_name(task.split, task.index, task.total)
    for path in (staging(work) / "data" / name, out / "data" / name):
        if path.is_file() and path.stat().st_size == receipt.shard.bytes and sha256_of(path) == receipt.shard.sha256:
            return receipt, path
    return None
