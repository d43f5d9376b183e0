"""What the command tells the job process: where, what, how far, and how to run."""

from dataclasses import dataclass
from pathlib import Path

from fgmcaps.pipeline.build.runner_check import LOCAL
from fgmcaps.pipeline.build.track_plan import Plan
from fgmcaps.pipeline.config import BuildConfig, Stage


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """All that the job process needs."""

    out: Path
    plan: Plan
    config: BuildConfig
    first: Stage = "annotate"
    last: Stage = "write"
    workers: int = 1
    runner: str = LOCAL
    beam_args: tuple[str, ...] = ()
    poison: frozenset[str] = frozenset()
    only_rejected: bool = False
    """Ask the LLM again for rows whose caption the template had to write."""
