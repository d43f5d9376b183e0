"""A fitted model of every attribute: ``annotators/fusion/models/NAME.json``, written by ``benchmarks.labels.fit``.

Plain numbers with the tools that they were fitted for, the fingerprint of the data, the number of clips, the date and
the command. Nothing is executed, nothing needs scikit-learn.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.fusion.hypotheses.meter import FELT_BEATS
from fgmcaps.annotators.fusion.scorer import (
    Calibration,
    Scorer,
    Threshold,
    Trees,
    scorer_from_json,
    threshold_for,
)
from fgmcaps.annotators.settings import FusionSettings
from fgmcaps.common.did_you_mean import did_you_mean

ATTRIBUTES = ("tempo", "meter", "downbeats", "key", "chords")


@dataclass(frozen=True, eq=False)
class AttributeModel:
    """How one attribute is decided.

    ``scorer`` gives the log-odds of each hypothesis (tempo's scores pairs with a meter, so meter has none of its own),
    ``confidence`` those that the chosen one is right, ``calibration`` turns them into the probability, ``thresholds``
    belong to the filter. ``before``: an earlier confidence, whose log-odds are a feature of this one.
    """

    scorer: Scorer | None
    confidence: Scorer
    calibration: Calibration
    thresholds: tuple[Threshold, ...]
    before: Scorer | None = None

    @cache  # noqa: B019 - models live as long as the process
    def threshold(self, precision: float) -> Threshold:
        """The filter for ``precision``; raises ValueError for one that was not reached."""
        return threshold_for(self.thresholds, precision)


@dataclass(frozen=True, eq=False)
class FusionModel:
    """All attributes for one set of tools.

    ``meters``: how common each of ``FELT_BEATS`` is taken to be, and ``fitted_meters`` how common it was where the
    scorer was fitted; both sum to 1, None where nothing is known of it. ``charts``: trees over the features of keys
    whose log-odds are themselves a feature of the key's scorer.
    """

    name: str
    tools: tuple[str, ...]
    fitted: Mapping[str, Any]
    attributes: Mapping[str, AttributeModel]
    meters: Mapping[str, float] | None = None
    fitted_meters: Mapping[str, float] | None = None
    charts: Trees | None = None

    @property
    def tilt(self) -> npt.NDArray[np.float64] | None:
        """``meters`` over ``fitted_meters``, in the order of ``FELT_BEATS``."""
        if self.meters is None or self.fitted_meters is None:
            return None
        return np.array([self.meters[name] / self.fitted_meters[name] for name in FELT_BEATS])

    def __getitem__(self, attribute: str) -> AttributeModel:
        return self.attributes[attribute]


def model_names() -> tuple[str, ...]:
    """Names of the fitted models."""
    found = [entry.name for entry in _folder().iterdir() if entry.name.endswith(".json")]
    return tuple(sorted(name.removesuffix(".json") for name in found))


@cache
def load_model(name: str) -> FusionModel:
    """The model of that name. Raises ValueError for an unknown one, naming the nearest."""
    return model_from_json(json.loads(_text(name)))


@cache
def model_digest(name: str) -> str:
    """SHA-256 of the model's file, for fingerprints: labels change with it. As :func:`load_model` for unknown names."""
    return hashlib.sha256(_text(name).encode()).hexdigest()


def check_fusion(settings: FusionSettings, tools: Sequence[str]) -> None:
    """Raise ValueError where recipe ``calibrated`` cannot do what is asked.

    That is: an unknown model, one that was fitted for other tools, a precision that it does not reach.
    """
    if settings.recipe != "calibrated":
        return
    model = load_model(settings.model)
    if sorted(tools) != sorted(model.tools):
        raise ValueError(
            f"the fusion model {model.name!r} was fitted for the tools {', '.join(sorted(model.tools))}, not for "
            f"{', '.join(sorted(tools))}; set fusion.recipe to paper (one tool for each attribute), or fit a model: "
            "python -m benchmarks.labels.fit"
        )
    for name in ATTRIBUTES:
        precision = getattr(settings, name).precision
        try:
            model[name].threshold(precision)
        except ValueError as error:
            raise ValueError(f"fusion.{name}.precision: {error}") from None


def filter_table(settings: FusionSettings) -> dict[str, dict[str, float]]:
    """The filter of recipe ``calibrated``: attribute -> figures; empty for other recipes.

    ``precision`` is what the user asked for, ``probability`` the least confidence that a kept label has, ``coverage``
    the share of held-out clips of the truth corpus that kept one.
    """
    if settings.recipe != "calibrated":
        return {}
    model = load_model(settings.model)
    asked = {name: float(getattr(settings, name).precision) for name in ATTRIBUTES}
    found = {name: model[name].threshold(precision) for name, precision in asked.items()}
    return {
        name: {"precision": asked[name], "probability": entry.probability, "coverage": entry.coverage}
        for name, entry in found.items()
    }


def model_from_json(data: Mapping[str, Any]) -> FusionModel:
    """Read what :mod:`benchmarks.labels.fit` writes."""
    return FusionModel(
        data["name"],
        tuple(data["tools"]),
        data["fitted"],
        {name: _attribute(data["attributes"][name]) for name in ATTRIBUTES},
        data.get("meters"),
        data.get("fitted_meters"),
        Trees.from_json(data["charts"]) if "charts" in data else None,
    )


def _attribute(data: Mapping[str, Any]) -> AttributeModel:
    curve = data["calibration"]
    return AttributeModel(
        None if data["scorer"] is None else scorer_from_json(data["scorer"]),
        scorer_from_json(data["confidence"]),
        Calibration(np.asarray(curve["score"], np.float64), np.asarray(curve["probability"], np.float64)),
        tuple(Threshold(t["precision"], t["probability"], t["coverage"]) for t in data["thresholds"]),
        scorer_from_json(data["before"]) if "before" in data else None,
    )


def _text(name: str) -> str:
    known = model_names()
    if name not in known:
        hint = did_you_mean(name, known)
        raise ValueError(f"unknown fusion model {name!r}{hint}; known: {', '.join(known) or 'none'}")
    return _folder().joinpath(f"{name}.json").read_text("utf-8")


def _folder() -> Traversable:
    return resources.files("fgmcaps.annotators.fusion").joinpath("models")
