"""Which runners and which of Beam's options are offered. Imports Beam only to look up what is not ours."""

from collections.abc import Sequence
from typing import Any

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError

LOCAL = "local"
# Measured with Beam 2.77: of two branches only the last ran, and what finish_bundle wrote vanished.
REFUSED = {"DaskRunner": "it loses rows silently (measured with Beam 2.77)"}


def beam_options() -> set[str]:
    """Names of all of Beam's options, without the dashes."""
    from apache_beam.options.pipeline_options import PipelineOptions

    names: set[str] = set()
    for cls in PipelineOptions.__subclasses__():
        parser = _Names()
        adder: Any = getattr(cls, "_add_argparse_args", None)
        if adder is not None:
            adder(parser)
        names |= parser.names
    return names


class _Names:
    """Stands in for an argparse parser and only notes the option names."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def add_argument(self, *names: str, **_: Any) -> None:
        self.names.update(n.removeprefix("--") for n in names if n.startswith("--"))

    add_value_provider_argument = add_argument

    def add_mutually_exclusive_group(self, **_: Any) -> "_Names":
        return self

    def add_argument_group(self, *_: Any, **__: Any) -> "_Names":
        return self


def check_beam_args(args: Sequence[str], ours: Sequence[str]) -> None:
    """Raise FgmcapsError for an option that is neither ours nor Beam's, naming the nearest known one."""
    known = beam_options()
    for arg in args:
        if not arg.startswith("--"):
            continue
        name = arg.removeprefix("--").split("=")[0]
        if name not in known:  # Beam itself drops it silently, even where only - and _ differ
            hint = did_you_mean(f"--{name}", [*ours, *(f"--{k}" for k in known)])
            raise FgmcapsError(f"no such option: --{name}{hint}")


def check_runner(name: str) -> None:
    """Raise FgmcapsError for a runner that Beam does not have, and for one that would lose rows.

    Beam takes the name of its runners in any case and without ``Runner``, or the dotted path of a class.
    """
    if name == LOCAL:
        return
    from apache_beam.options.pipeline_options import StandardOptions

    known = {path.rpartition(".")[2].lower(): path.rpartition(".")[2] for path in StandardOptions.ALL_KNOWN_RUNNERS}
    short = name.rpartition(".")[2].lower()
    known |= {refused.lower(): refused for refused in REFUSED}
    full = known.get(short, known.get(f"{short}runner", name))
    if full in REFUSED:
        raise FgmcapsError(f"--runner {name} is not offered: {REFUSED[full]}; use local, FlinkRunner or SparkRunner")
    if full == name and "." not in name and name not in known.values():
        offered = [LOCAL, *sorted(set(known.values()) - set(REFUSED))]
        raise FgmcapsError(
            f"no such runner: {name}{did_you_mean(name, offered)}; use local, FlinkRunner or SparkRunner"
        )
