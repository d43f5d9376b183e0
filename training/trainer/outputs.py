"""What a finished training leaves in OUT: model, curves, card, and last ``metrics.json``, which says finished."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fgmcaps.common.files import write_atomically
from fgmcaps.training.data.sampler import Ints
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.model.card import write_card
from fgmcaps.training.model.metrics_file import METRICS
from fgmcaps.training.model.model import FigmaModel
from fgmcaps.training.settings import TrainSettings
from fgmcaps.training.trainer.curves import write_curves
from fgmcaps.training.trainer.resume import Progress


def write_outputs(
    out: Path,
    model: FigmaModel,
    cache: FeatureCache,
    settings: TrainSettings,
    progress: Progress,
    rows: Ints,
    validation: Ints,
) -> dict[str, Any]:
    """Write all of it and return what ``metrics.json`` holds."""
    model.save(out)
    metrics = {
        "best_epoch": progress.best_epoch or progress.epoch,
        "epochs": progress.epoch,
        "stopped_early": progress.epoch < settings.epochs,
        "monitor": settings.monitor,
        "validation": _validation(progress),
        "history": progress.history,
        "data": {
            "features": cache.fingerprint,
            "train_clips": len(rows),
            "train_tracks": len(set(cache.track[rows].tolist())),
            "validation_clips": len(validation),
        },
        "settings": settings.model_dump(mode="json"),
        "torch": torch.__version__,
    }
    write_curves(out / "curves.png", progress.history)
    write_card(out / "README.md", model.config, metrics)
    write_atomically(out / METRICS, (json.dumps(metrics, indent=2) + "\n").encode())
    return metrics


def _validation(progress: Progress) -> Mapping[str, float]:
    best = progress.best_epoch or progress.epoch
    return next((entry["validation"] for entry in progress.history if entry["epoch"] == best), {})
