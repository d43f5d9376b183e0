"""The option ``--split`` of several commands."""

from typing import Any

import click

from fgmcaps.common.did_you_mean import did_you_mean

ALL = "all"
KNOWN = ("train", "validation", "test", ALL)


class SplitName(click.ParamType[Any]):
    """``train``, ``validation``, ``test`` (or a usual name of one of them: ``valid``, ``dev``, ...), or ``all``."""

    name = "split"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What help shows."""
        return f"[{'|'.join(KNOWN)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from fgmcaps.schemas.splits import canonical_split  # help must not wait for the schemas

        split = ALL if value == ALL else canonical_split(str(value))
        if split is None:
            self.fail(f"{value!r} is none of {', '.join(KNOWN)}{did_you_mean(str(value), KNOWN)}", param, ctx)
        return split
