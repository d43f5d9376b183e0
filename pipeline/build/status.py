"""Where a build is: a small file that the job process writes and whoever watches reads."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgmcaps.common.files import write_atomically


@dataclass(frozen=True, slots=True)
class StageStatus:
    """The stage under way: ``total`` and ``done`` (at its start) count tracks, clips or shards by stage."""

    stage: str
    total: int = 0
    done: int = 0


class Status:
    """Writer of ``status.json`` and ``timings.json`` in the work folder."""

    def __init__(self, work: Path) -> None:
        self.status_file, self.timings_file = work / "status.json", work / "timings.json"

    def stage(self, name: str, total: int = 0, done: int = 0) -> None:
        """Say that a stage begins."""
        write_atomically(self.status_file, json.dumps(asdict(StageStatus(name, total, done))).encode())

    def timings(self, timings: dict[str, dict[str, float]]) -> None:
        """Add the stage timings of one graph to those of this run."""
        write_atomically(self.timings_file, json.dumps({**self.read_timings(), **timings}, indent=1).encode())

    def reset(self) -> None:
        """Forget the run before."""
        self.status_file.unlink(missing_ok=True)
        self.timings_file.unlink(missing_ok=True)

    def read(self) -> StageStatus | None:
        """The stage under way; None before the first."""
        data = load_json(self.status_file)
        return None if data is None else StageStatus(**data)

    def read_timings(self) -> dict[str, dict[str, float]]:
        """``{stage: {seconds, count, max}}`` of this run so far; seconds are summed over workers."""
        return load_json(self.timings_file) or {}


def load_json(path: Path) -> Any:
    """The JSON of a small file; None if it is missing or half-written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
