"""OUT of `figma train`: bound to one configuration and one cache, resumed or refused, finished or not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.common.files import write_atomically
from fgmcaps.training.settings import TrainSettings

RUN = "run.json"


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
            before = json.loads(path.read_bytes())
            differences = _differences(before, now)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidDataError(f"{path} is damaged ({error}); choose another OUT") from None
        if differences:
            more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
            raise FgmcapsError(
                f"{out} holds a run of another configuration: {differences[0]}{more}; choose another OUT"
            )
        return
    if out.is_dir() and any(p.name != ".lock" for p in out.iterdir()):
        raise FgmcapsError(f"{out} is not empty and holds no training run; choose another OUT")
    if data is not None:
        write_atomically(path, (json.dumps(now, indent=2, sort_keys=True) + "\n").encode())


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    old, new = dict(before["settings"]), dict(now["settings"])
    for name in ("checkpoint_steps", "tensorboard", "score_budget_mb"):
        old.pop(name, None)
        new.pop(name, None)
    found = [f"{k} = {old.get(k)!r} there, {new.get(k)!r} now" for k in sorted(old | new) if old.get(k) != new.get(k)]
    if now["data"] is not None and before["data"] != now["data"]:
        found.append(f"features {before['data'][:12]} there, {now['data'][:12]} now")
    if now["processes"] is not None and before["processes"] != now["processes"]:
        found.append(f"{before['processes']} processes there, {now['processes']} now")
    return found
