"""A chord annotator whose tool runs in an environment of its own."""

import os
from abc import abstractmethod
from collections.abc import Hashable
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt

from fgmcaps.annotators.base import Annotator, Samples, within_clip
from fgmcaps.common.caches import home_folder
from fgmcaps.common.isolated.client import FOREIGN_PYTHON_ENV, Handshake, IsolatedWorker, worker_command
from fgmcaps.common.isolated.errors import WorkerStartError
from fgmcaps.schemas import ChordSequence, ChordSpan
from fgmcaps.schemas.estimate import Detail, Value
from fgmcaps.schemas.harte import NO_CHORD, UNKNOWN_CHORD, ChordSyntaxError, parse_chord

_ABOVE_THE_ROOMS = Path(__file__).resolve().parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class IsolatedChordTool(Annotator[IsolatedWorker]):
    """Asks a worker for ``chords``: labels, and float64[n, 2] of start and end in seconds.

    Args:
        environment: folder of the tool's virtual environment; default: :func:`environment_folder`. It is not a setting:
            the tool's versions are, and the handshake compares them with ``info``.
        timeout_s: seconds for one clip.
        start_timeout_s: seconds to load the tool.
    """

    attribute: ClassVar = "chords"
    environment_variable: ClassVar[str]
    make_target: ClassVar[str]
    """Target of the Makefile that makes the environment; also the name of its folder."""
    worker_module: ClassVar[str]

    def __init__(
        self, environment: str | None = None, timeout_s: float = 120.0, start_timeout_s: float = 300.0
    ) -> None:
        super().__init__()
        self.environment = environment
        self.timeout_s = timeout_s
        self.start_timeout_s = start_timeout_s

    @property
    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions that the worker must declare; another one is an error at start."""

    def environment_path(self) -> Path:
        """Folder of the tool's environment, whether it exists or not."""
        named = self.environment or os.environ.get(self.environment_variable)
        return Path(named).absolute() if named else environment_folder(self.make_target)

    def missing(self) -> tuple[str, ...]:
        """What the tool lacks here, as sentences with the remedy; starts nothing."""
        if self._python().exists():
            return ()
        return (
            f"{self.info.name}: its environment {self.environment_path()} does not exist; {self._remedy()}, or set "
            f"{self.environment_variable} to the folder of another one",
        )

    def worker_env(self) -> dict[str, str | None]:
        """Variables of the worker process, laid over ours."""
        return {**FOREIGN_PYTHON_ENV, **ONE_THREAD}

    def _remedy(self) -> str:
        if checkout() is not None:
            return f"run `make {self.make_target}`"
        script = f"annotators/workers/make_{self.make_target}_env.sh"
        return f"run `sh {script} {self.environment_path()}` in a checkout of fgmcaps"

    def _python(self) -> Path:
        return self.environment_path() / "bin" / "python"

    def _load(self) -> IsolatedWorker:
        lacks = self.missing()
        if lacks:
            raise WorkerStartError("; ".join(lacks))
        worker = IsolatedWorker(
            worker_command(self.worker_module, self._python()),
            Handshake(self.info.name, self.versions),
            timeout_s=self.timeout_s,
            start_timeout_s=self.start_timeout_s,
            env=self.worker_env(),
            remedy=f"remove {self.environment_path()} and {self._remedy()}",
        )
        worker.start()
        return worker

    def _estimate(self, model: IsolatedWorker, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        reply = model.request("chords", {"sample_rate": self.sample_rate}, {"samples": samples})
        spans = whole_clip(reply.fields["labels"], reply.arrays["times"], samples.size / self.sample_rate)
        confidence = reply.fields.get("confidence")
        return ChordSequence(spans), None if confidence is None else float(confidence), {}

    def _cache_key(self) -> Hashable:
        return super()._cache_key(), str(self.environment_path()), self.timeout_s, self.start_timeout_s


def checkout() -> Path | None:
    """The repository if the rooms are in one; None where fgmcaps is installed from a wheel."""
    return _ABOVE_THE_ROOMS if (_ABOVE_THE_ROOMS / "pyproject.toml").is_file() else None


def environment_folder(name: str) -> Path:
    """Where a tool's environment is by default: ``.venv-NAME`` in the checkout.

    Without one ``fgmcaps/NAME`` in the user's data folder, ``XDG_DATA_HOME`` or ``~/.local/share``.
    """
    repository = checkout()
    if repository is not None:
        return repository / f".venv-{name}"
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else (home_folder() or Path("/")) / ".local" / "share") / "fgmcaps" / name


def whole_clip(labels: list[Any], times: npt.NDArray[Any], seconds: float) -> tuple[ChordSpan, ...]:
    """Spans from 0 to ``seconds``: gaps are ``N``, equal neighbours one span, unparsable labels ``X``.

    ``times``: float64[n, 2], start and end in seconds, ascending; an overlap is cut at the later start.
    """
    spans: list[ChordSpan] = []
    starts = [float(start) for start, _ in times]
    nexts = [*starts[1:], seconds][: len(starts)]
    for label, (start, end), following in zip(labels, times, nexts, strict=True):
        spans.append(ChordSpan(round(float(start), 4), round(min(float(end), following), 4), _harte(str(label))))
    filled: list[ChordSpan] = []
    position = 0.0
    for span in [*within_clip(spans, seconds), ChordSpan(round(seconds, 4), round(seconds, 4), NO_CHORD)]:
        if span.start > position:
            filled.append(ChordSpan(position, span.start, NO_CHORD))
        if span.end > span.start:
            filled.append(span)
        position = max(position, span.end)
    merged: list[ChordSpan] = []
    for span in filled:
        if merged and merged[-1].label == span.label:
            merged[-1] = ChordSpan(merged[-1].start, span.end, span.label)
        else:
            merged.append(span)
    return tuple(merged)


def _harte(label: str) -> str:
    """The label in full (``C`` -> ``C:maj``), ``X`` if it does not parse."""
    try:
        return str(parse_chord(label))
    except ChordSyntaxError:
        return UNKNOWN_CHORD
