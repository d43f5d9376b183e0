"""A file of ``fgmcaps calibrate`` as settings of a build or of a profile."""

from pathlib import Path
from typing import Any

from fgmcaps.annotators import FusionSettings, Profile, load_profile
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.labels.calibrate import read_calibration


def with_calibration(config: BuildConfig, path: Path) -> BuildConfig:
    """The configuration with the file's curves among its profile's settings. Raises FgmcapsError."""
    profile = load_profile(config.profile)
    overrides = {**config.profile_overrides, **_settings(profile, path)}
    return config.model_copy(update={"profile_overrides": overrides})


def profile_with(profile: Profile, path: Path) -> Profile:
    """The profile with the file's curves. Raises FgmcapsError."""
    return profile.with_overrides(_settings(profile, path))


def with_file(settings: FusionSettings, path: Path) -> FusionSettings:
    """Fusion settings with what is in the file; shares of meters stay where it has none. Raises FgmcapsError."""
    found = read_calibration(path, settings.model)
    return settings.model_copy(update={"calibration": found.curves, "meters": found.meters or settings.meters})


def _settings(profile: Profile, path: Path) -> dict[str, Any]:
    if profile.fusion.recipe != "calibrated":
        raise FgmcapsError(f"--calibration {path}: profile {profile.name!r} has no probabilities to calibrate")
    found = read_calibration(path, profile.fusion.model)
    curves = {str(name): curve.model_dump() for name, curve in found.curves.items()}
    return {"fusion.calibration": curves} | ({"fusion.meters": found.meters} if found.meters else {})
