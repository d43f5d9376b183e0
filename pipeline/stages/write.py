"""The writing stage: rows of one shard by reference, audio read again and embedded by policy."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam

from fgmcaps.pipeline.audio.decode import CHANGED, DecodeError, Decoder
from fgmcaps.pipeline.audio.encode import encode_flac
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.pipeline.sources.inventory import open_location
from fgmcaps.pipeline.stages.in_flight import follow_build
from fgmcaps.pipeline.stages.shard_plan import (
    ShardReceipt,
    ShardTask,
    find_written,
    staging,
    write_receipt,
)
from fgmcaps.schemas import Clip, DeadLetter, ToolInfo
from fgmcaps.schemas.arrow import arrow_schema
from fgmcaps.schemas.dead_letter import Rejection, dead_letter


@dataclass(frozen=True, slots=True)
class RowAudio:
    """The audio column of one row: encoded bytes and their name, a file's path alone, or neither, by policy."""

    data: bytes | None = None
    path: str | None = None


class WriteShards(beam.DoFn):
    """ShardTask -> a shard in the staging folder and its receipt, unless the shard has been written already."""

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
        rows, schema = self.rows(task, letters), arrow_schema(self.config.keep_columns)
        shard = write_shard(staging(self.work), task.split, task.index, task.total, rows, schema)
        write_receipt(self.work, task, ShardReceipt(shard, tuple(letters)))

    def rows(self, task: ShardTask, letters: list[DeadLetter]) -> Iterator[dict[str, Any]]:
        """Rows in order; a clip whose audio cannot be read again goes to ``letters``."""
        for ref in task.rows:
            annotation = ref.annotation.read()
            clip = replace(annotation.clip, track=ref.track)
            audio = read_audio(clip, self.config.audio, self.decoder)
            if isinstance(audio, Rejection):
                letters.append(dead_letter(audio, ref.track, clip))
                continue
            annotation = replace(annotation, clip=clip)
            yield row_of(annotation, ref.caption.read(), audio.data, audio.path, self.tools, self.config.keep_columns)


def read_audio(clip: Clip, policy: str, decoder: Decoder) -> RowAudio | Rejection:
    """The audio column of a clip under the policy ``embed``, ``path`` or ``none``."""
    track = clip.track
    if policy == "path":
        return RowAudio(path=track.source_path)
    if policy == "none":
        return RowAudio()
    try:
        source = open_location(track.location)
        name, track_id = track.source_path, track.track_id
        samples, rate = decoder.read(source, clip.start_s, clip.duration_s, name, track_id=track_id)
    except (DecodeError, OSError, ValueError) as error:
        reason = CHANGED if isinstance(error, DecodeError) and error.reason == CHANGED else "unreadable"
        message = f"its audio cannot be read again: {error}"
        return Rejection("write", reason, message, error_type=type(error).__name__, retryable=True)
    return RowAudio(encode_flac(samples, rate), f"{clip.clip_id}.flac")
