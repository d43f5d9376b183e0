"""Where a build is and what its stages cost: two small files that the job process writes and the command reads."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgmcaps.common.files import write_atomically


@dataclass(frozen=True, slots=True)
class StageStatus:
    """The stage under way: ``total`` and ``done`` (at its start) count tracks, clips or shards, depending on it."""

    stage: str
    total: int = 0
    done: int = 0


@dataclass(frozen=True, slots=True)
class StageTiming:
    """The work of one stage: seconds summed over workers, how many items, and the seconds of the longest."""

    seconds: float
    count: int
    max: float


class StageFile:
    """Writer and reader of ``status.json`` and ``timings.json`` in the work folder."""

    def __init__(self, work: Path) -> None:
        self.status_file, self.timings_file = work / "status.json", work / "timings.json"

    def begin(self, stage: str, total: int = 0, done: int = 0) -> None:
        """Note that a stage begins."""
        write_atomically(self.status_file, json.dumps(asdict(StageStatus(stage, total, done))).encode())

    def add_timings(self, timings: Mapping[str, StageTiming]) -> None:
        """Add the timings of one graph to those of this run."""
        merged = {name: asdict(timing) for name, timing in {**self.read_timings(), **timings}.items()}
        write_atomically(self.timings_file, json.dumps(merged, indent=1).encode())

    def reset(self) -> None:
        """Forget the run before."""
        self.status_file.unlink(missing_ok=True)
        self.timings_file.unlink(missing_ok=True)

    def read(self) -> StageStatus | None:
        """The stage under way; None before the first."""
        data = _load_json(self.status_file)
        return None if data is None else StageStatus(**data)

    def read_timings(self) -> dict[str, StageTiming]:
        """Timings of this run so far, by stage."""
        return {name: StageTiming(**timing) for name, timing in (_load_json(self.timings_file) or {}).items()}


def _load_json(path: Path) -> Any:
    """The JSON of a small file; None if it is missing or half-written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
