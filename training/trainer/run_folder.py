"""OUT of `figma train`: bound to one configuration and one cache, resumed or refused, finished or not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgmcaps.common.differences import differences
from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.json_file import read_json
from fgmcaps.training.settings import TrainSettings

RUN = "run.json"
CHANGES_NOTHING = ("checkpoint_steps", "tensorboard", "score_budget_mb")
"""Settings that change no weight."""


def open_run(out: Path, settings: TrainSettings, data: str | None, processes: int | None) -> None:
    """Bind OUT to this run, or check that it is bound to it already. Where ``data`` is not known yet, only check.

    Raises FgmcapsError naming what differs when OUT holds another run, or something that is none.
    """
    if out.exists() and not out.is_dir():
        raise FgmcapsError(f"{out} is not a folder; choose another place")
    now = {"settings": settings.model_dump(mode="json"), "data": data, "processes": processes}
    path = out / RUN
    if path.is_file():
        try:
            before = read_json(path)
            found = differences(_comparable(before, now), _comparable(now, before), ignore=CHANGES_NOTHING)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidDataError(f"{path} is damaged ({error}); choose another OUT") from None
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise FgmcapsError(f"{out} holds a run of another configuration: {found[0]}{more}; choose another OUT")
        return
    if out.is_dir() and any(p.name != ".lock" for p in out.iterdir()):
        raise FgmcapsError(f"{out} is not empty and holds no training run; choose another OUT")
    if data is not None:
        write_atomically(path, (json.dumps(now, indent=2, sort_keys=True) + "\n").encode())


def _comparable(run: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``run`` is compared: its settings, and of the rest what both runs know."""
    known = {name: run[name] for name in ("data", "processes") if run[name] is not None and other[name] is not None}
    return {**run["settings"], **known}
