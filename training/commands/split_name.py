"""The option ``--split`` of several commands."""

from typing import Any

import click

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.schemas.splits import SPLITS, canonical_split

ALL = "all"


class SplitName(click.ParamType[Any]):
    """``train``, ``validation``, ``test`` (or a usual name of one of them: ``valid``, ``dev``, ...), or ``all``."""

    name = "split"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What help shows."""
        return f"[{'|'.join((*SPLITS, ALL))}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        split = ALL if value == ALL else canonical_split(str(value))
        if split is None:
            known = (*SPLITS, ALL)
            self.fail(f"{value!r} is none of {', '.join(known)}{did_you_mean(str(value), known)}", param, ctx)
        return split
