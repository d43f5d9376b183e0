"""Running a Beam graph: the local runner by default, any other by its name with its own options."""

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.build.runner_check import LOCAL, check_runner
from fgmcaps.pipeline.build.stage_file import StageTiming

log = logging.getLogger(__name__)


def run_graph(
    build: Callable[[beam.Pipeline], None], runner: str, workers: int, beam_args: Sequence[str], processes: bool = True
) -> dict[str, StageTiming]:
    """Build and run one graph to its end.

    ``processes``: local workers as processes (else threads of this process, cheaper to start). Returns the
    timings by stage. Raises MachineError where a stage did, RuntimeError otherwise.
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


def _timings(result: Any) -> dict[str, StageTiming]:
    timings: dict[str, StageTiming] = {}
    try:
        distributions = result.metrics().query()["distributions"]
    except Exception as error:  # not every runner reports metrics; timings are only for people
        log.info("this runner reports no metrics: %s", error)
        return timings
    for item in distributions:
        if item.key.metric.namespace == "fgmcaps" and item.result.count:
            name = item.key.metric.name.removesuffix("_us")
            before = timings.get(name, StageTiming(0.0, 0, 0.0))
            timings[name] = StageTiming(
                before.seconds + item.result.sum / 1e6,
                before.count + item.result.count,
                max(before.max, item.result.max / 1e6),
            )
    return timings
