"""Values that options of several commands take."""

import re
from typing import Any, Literal

import click

PROFILES = ["best", "fast", "paper", "permissive"]
STYLES = ["objective", "short", "keywords", "casual"]


class ClipCount(click.ParamType[Any]):
    """``K``, a number from 1, or ``all``."""

    name = "K|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Literal["all"]:
        if value == "all":
            return "all"
        if not re.fullmatch(r"0*[1-9][0-9]{0,8}", str(value)):
            self.fail(f"{value!r} is not a number of clips; give 1 or more, or all", param, ctx)
        return int(value)
