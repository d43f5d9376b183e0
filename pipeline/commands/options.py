"""Values that options of several commands take."""

import re
from pathlib import Path
from typing import Any, Literal

import click

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError

PROFILES = ["best", "fast", "paper", "permissive"]
STYLES = ["objective", "short", "keywords", "casual"]


class DatasetFolder(click.ParamType[Any]):
    """A folder that is there; what it holds is checked by the command."""

    name = "OUT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        check_folder(path)
        return path


def check_folder(path: Path) -> None:
    """Raise FgmcapsError where there is no such folder, with the nearest name beside it."""
    if path.is_dir():
        return
    if path.exists():
        raise FgmcapsError(f"not a folder: {path}; name the folder of a dataset")
    beside = [p.name for p in path.parent.iterdir() if p.is_dir()] if path.parent.is_dir() else []
    raise FgmcapsError(f"no such folder: {path}{did_you_mean(path.name, beside)}")


class ClipCount(click.ParamType[Any]):
    """``K``, a number from 1, or ``all``."""

    name = "K|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Literal["all"]:
        if value == "all":
            return "all"
        if not re.fullmatch(r"0*[1-9][0-9]{0,8}", str(value)):
            self.fail(f"{value!r} is not a number of clips; give 1 or more, or all", param, ctx)
        return int(value)
