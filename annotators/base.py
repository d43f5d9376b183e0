"""The contract of every annotator: mono samples of one clip in, one :class:`schemas.Estimate` out.

An annotator object is cheap: it holds settings only, and pickles small. Its models live in a cache of the process,
loaded by ``setup()`` once and shared by all objects of the same settings, so a Beam worker that unpickles the profile
for each bundle does not load them again. Threads may annotate at once (Flink and Dataflow run several bundles in one
process): a model works on one clip at a time, because the tools keep state in their objects while they work, and other
tools run meanwhile.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from threading import Lock, RLock
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from fgmcaps.schemas import ChordSpan, Estimate, ToolInfo
from fgmcaps.schemas.estimate import Attribute, Detail, Value

Samples = npt.NDArray[np.float32]
Model = TypeVar("Model")

_models: dict[Hashable, Any] = {}
_models_lock = Lock()
_in_use: defaultdict[Hashable, RLock] = defaultdict(RLock)
"""One lock a model; several objects of the same settings share both."""


def cached_model(key: Hashable, load: Callable[[], Model]) -> Model:
    """The model of this process under ``key``; ``load()`` is called the first time only."""
    with _models_lock:
        if key not in _models:
            _models[key] = load()
        model: Model = _models[key]
        return model


def check_samples(samples: Samples, sample_rate: int, expected_rate: int, who: str) -> None:
    """Raise ValueError naming ``who`` unless ``samples`` is finite float32[n], n > 0, at ``expected_rate`` Hz."""
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32:
        got = getattr(samples, "dtype", type(samples).__name__)
        raise ValueError(f"{who}: samples must be a float32 array, got {got}; convert with .astype(np.float32)")
    if samples.ndim != 1:
        raise ValueError(f"{who}: samples must be mono, shape [n], got {samples.shape}; average the channels first")
    if sample_rate != expected_rate:
        raise ValueError(
            f"{who}: needs {expected_rate} Hz, got {sample_rate} Hz; resample it with fgmcaps.annotators.resample first"
        )
    if samples.size == 0:
        raise ValueError(f"{who}: no samples; the gate turns such clips away")
    if not np.isfinite(samples).all():
        raise ValueError(f"{who}: samples contain NaN or infinity; the gate turns such clips away")


def within_clip(spans: Iterable[ChordSpan], seconds: float) -> tuple[ChordSpan, ...]:
    """Spans cut off at the clip's end: a tool's last analysis frame reaches beyond it."""
    return tuple(
        ChordSpan(s.start, min(s.end, round(seconds, 4)), s.label, s.confidence) for s in spans if s.start < seconds
    )


def installed_version(distribution: str) -> str:
    """Version of an installed distribution, or ``missing``; imports nothing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "missing"


class Annotator(ABC, Generic[Model]):
    """One tool for one attribute.

    Subclasses set the class attributes and write ``_load`` (models) and ``_estimate`` (the work). They are called with
    checked samples only. Everything that changes the result is in ``settings()``, which enters the build's fingerprint.
    """

    attribute: ClassVar[Attribute]
    sample_rate: ClassVar[int]
    requires: ClassVar[tuple[str, ...]] = ()
    """Distributions that must be installed, as pip names them."""

    def __init__(self) -> None:
        self._model: Model | None = None

    @property
    @abstractmethod
    def info(self) -> ToolInfo:
        """Name, version, licence (code and weights, the stricter one) and address of the tool."""

    def settings(self) -> dict[str, Detail]:
        """Parameters that change the result."""
        return {}

    def missing(self) -> tuple[str, ...]:
        """What the tool lacks here, as sentences with the remedy; found without importing or loading the tool."""
        return tuple(
            f"{self.info.name}: the package {name} is not installed; run `make setup`"
            for name in self.requires
            if installed_version(name) == "missing"
        )

    def setup(self) -> None:
        """Load the models, once in a process; calling it again is free."""
        if self._model is None:
            self._model = cached_model(self._cache_key(), self._load)

    @contextmanager
    def model_alone(self) -> Iterator[Model]:
        """The loaded model, which no other thread uses meanwhile."""
        self.setup()
        assert self._model is not None
        key = self._cache_key()
        with _models_lock:
            lock = _in_use[key]
        with lock:
            yield self._model

    def annotate(self, samples: Samples, sample_rate: int) -> Estimate:
        """Estimate of one clip. ``samples``: float32[n], mono, full scale 1.0, at ``self.sample_rate`` Hz.

        Raises ValueError for another rate, dtype or shape, and for samples that are not finite. The result depends on
        the samples only, never on the clips before nor on what other threads annotate.
        """
        check_samples(samples, sample_rate, self.sample_rate, self.info.name)
        with self.model_alone() as model:
            value, confidence, details = self._estimate(model, samples)
        info = self.info
        return Estimate(info.name, info.version, self.attribute, value, confidence, details)

    def annotate_batch(self, clips: Sequence[Samples], sample_rate: int | None = None) -> list[Estimate]:
        """Estimates of several clips, equal to those of :meth:`annotate` one by one."""
        rate = self.sample_rate if sample_rate is None else sample_rate
        return [self.annotate(clip, rate) for clip in clips]

    def close(self) -> None:
        """Release the models of this object (the process keeps them for the next one)."""
        self._model = None

    @abstractmethod
    def _load(self) -> Model:
        """Import the tool and load its weights."""

    @abstractmethod
    def _estimate(self, model: Model, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        """Value, the tool's own confidence, and small JSON-able evidence."""

    def _cache_key(self) -> Hashable:
        return type(self).__qualname__, repr(sorted(self.settings().items()))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Annotator) and type(self) is type(other) and self.settings() == other.settings()

    def __hash__(self) -> int:
        return hash(self._cache_key())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings().items())})"
