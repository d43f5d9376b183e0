"""Running a Beam graph: the local runner by default, any other by its name with its own options."""

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError, MachineError

LOCAL = "local"
# Measured with Beam 2.77: of two branches only the last ran, and what finish_bundle wrote vanished.
REFUSED = {"DaskRunner": "it loses rows silently (measured with Beam 2.77)"}

log = logging.getLogger(__name__)


def beam_options() -> set[str]:
    """Names of all options that Beam knows, without the dashes."""
    names: set[str] = set()
    for cls in PipelineOptions.__subclasses__():
        parser = _Names()
        adder: Any = getattr(cls, "_add_argparse_args", None)
        if adder is not None:
            adder(parser)
        names |= parser.names
    return names


class _Names:
    """Stands in for an argparse parser and only takes note of the option names."""

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
    """Raise FgmcapsError for an option that neither we nor Beam know, naming the nearest known one."""
    known = beam_options()
    for arg in args:
        if not arg.startswith("--"):
            continue
        name = arg.removeprefix("--").split("=")[0]
        if name not in known:  # Beam itself would drop it in silence, also one spelt with - for _
            hint = did_you_mean(f"--{name}", [*ours, *(f"--{k}" for k in known)])
            raise FgmcapsError(f"no such option: --{name}{hint}")


def check_runner(name: str) -> None:
    """Raise FgmcapsError for a runner that Beam does not know, and for one that would lose rows.

    Beam takes a known name in any case and without its ``Runner``, or the dotted path of a class.
    """
    if name == LOCAL:
        return
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


def run_graph(
    build: Callable[[beam.Pipeline], None], runner: str, workers: int, beam_args: Sequence[str], processes: bool = True
) -> dict[str, dict[str, float]]:
    """Build and run one graph to its end.

    ``processes``: local workers as processes (else threads of this process, cheaper to start). Returns the stage
    timings: name -> ``{"seconds", "count", "max"}``. Raises MachineError where a stage did, RuntimeError otherwise.
    """
    check_runner(runner)
    if runner == LOCAL:
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner

        mode = "multi_processing" if processes else "in_memory"
        options = [f"--direct_num_workers={workers if processes else 1}", f"--direct_running_mode={mode}", *beam_args]
        pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(options))
    else:
        pipeline = beam.Pipeline(runner=runner, options=PipelineOptions(list(beam_args)))
    build(pipeline)
    try:
        result = pipeline.run()
        result.wait_until_finish()
    except Exception as error:
        raise _cause(error) from error
    return _timings(result)


def _cause(error: Exception) -> Exception:
    """Our own error out of a runner's: remote workers send only text."""
    if isinstance(error, FgmcapsError):
        return error
    text = str(error)
    found = re.findall(r"(?:MachineError|DiskFullError): (.*?)(?: \[while running|\\n|\n|$)", text)
    if found:
        return MachineError(found[-1])
    lines = [line for line in text.splitlines() if line.strip()]
    return RuntimeError(lines[-1].strip() if lines else type(error).__name__)


def _timings(result: Any) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    try:
        distributions = result.metrics().query()["distributions"]
    except Exception as error:  # not every runner reports metrics; timings are only for people
        log.info("this runner reports no metrics: %s", error)
        return out
    for item in distributions:
        if item.key.metric.namespace == "fgmcaps" and item.result.count:
            name = item.key.metric.name.removesuffix("_us")
            entry = out.setdefault(name, {"seconds": 0.0, "count": 0, "max": 0.0})
            entry["seconds"] += item.result.sum / 1e6
            entry["count"] += item.result.count
            entry["max"] = max(entry["max"], item.result.max / 1e6)
    return out
