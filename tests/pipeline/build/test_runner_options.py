"""Which Beam options and runners are taken, and which are refused before any work."""

import operator

import apache_beam as beam
import pytest

from fgmcaps.common.errors import FgmcapsError, MachineError
from fgmcaps.pipeline.build.runner import _cause, run_graph
from fgmcaps.pipeline.build.runner_check import beam_options, check_beam_args, check_runner
from fgmcaps.pipeline.build.stage_file import StageTiming
from fgmcaps.pipeline.stages.journal import TrackDone, scan, write_results


def test_options_of_beam_are_known():
    known = beam_options()
    assert {"flink_master", "spark_master_url", "job_endpoint", "environment_type", "project", "temp_location"} <= known
    assert not any(name.startswith("-") for name in known)


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--flink_master=host:8081"],
        ["--flink_master", "host:8081", "--streaming"],
        ["--environment_type", "LOOPBACK"],
    ],
)
def test_options_of_beam_pass(args):
    check_beam_args(args, ["--workers"])


@pytest.mark.parametrize(
    ("arg", "hint"),
    [
        ("--wrokers", "--workers"),
        ("--flink_mastr=x", "--flink_master"),
        ("--flink-master=x", "--flink_master"),  # Beam would drop it in silence
        ("--flink_mast", "--flink_master"),
    ],
)
def test_unknown_options_name_the_nearest_of_ours_and_of_beams(arg, hint):
    with pytest.raises(FgmcapsError, match=f"no such option: {arg.split('=')[0]} .*did you mean '{hint}'"):
        check_beam_args(["--streaming", arg], ["--workers"])


@pytest.mark.parametrize(
    "name", ["local", "FlinkRunner", "flinkrunner", "flink", "SparkRunner", "DataflowRunner", "my.Own"]
)
def test_runners_that_beam_takes_are_taken(name):
    check_runner(name)


@pytest.mark.parametrize(
    "name", ["DaskRunner", "daskrunner", "dask", "Dask", "apache_beam.runners.dask.dask_runner.DaskRunner"]
)
def test_dask_is_refused_however_it_is_spelt(name):
    with pytest.raises(FgmcapsError, match="loses rows"):
        check_runner(name)


def test_an_unknown_runner_names_the_nearest():
    with pytest.raises(FgmcapsError, match=r"no such runner: FlinkRuner \(did you mean 'FlinkRunner'\?\)"):
        check_runner("FlinkRuner")
    with pytest.raises(FgmcapsError, match=r"did you mean 'local'"):
        check_runner("Local")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "Traceback:\n  File 'x'\npipeline.errors.MachineError: no space [while running 'A']\n",
            MachineError,
            "no space",
        ),
        ("RuntimeError: first\n ... MachineError: one\nMachineError: two\n", MachineError, "two"),
        ("Traceback:\n  File\nValueError: wrong\n\n", RuntimeError, "ValueError: wrong"),
        ("", RuntimeError, "RuntimeError"),
    ],
)
def test_the_cause_is_read_from_what_a_remote_worker_sends(text, kind, message):
    cause = _cause(RuntimeError(text))
    assert type(cause) is kind and str(cause) == message


def test_an_error_of_ours_stays_itself():
    error = FgmcapsError("x")
    assert _cause(error) is error


class _Write(beam.DoFn):
    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.micros = beam.metrics.Metrics.distribution("fgmcaps", "square_us")

    def process(self, n):
        self.micros.update(1_000_000 * n)
        write_results(self.folder, [TrackDone(str(n), n * n)])


def test_a_graph_runs_and_its_timings_come_back_in_seconds(tmp_path):
    timings = run_graph(lambda p: p | beam.Create([1, 2, 3]) | beam.ParDo(_Write(tmp_path)), "local", 1, (), False)
    assert sorted(e.outcomes for e in scan(tmp_path)) == [1, 4, 9]
    assert timings == {"square": StageTiming(6.0, 3, 3.0)}


def _no_space(_):
    raise MachineError("the disk is full; free space")


@pytest.mark.parametrize(
    ("fn", "kind", "text"),
    [(_no_space, MachineError, "the disk is full; free space"), (operator.neg, RuntimeError, "")],
)
def test_an_error_of_a_stage_ends_the_graph_with_its_own_words(fn, kind, text):
    with pytest.raises(kind) as caught:
        run_graph(lambda p: p | beam.Create(["x"]) | beam.Map(fn), "local", 1, (), False)
    assert type(caught.value) is kind and text in str(caught.value) and "\n" not in str(caught.value)
