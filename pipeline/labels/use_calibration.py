"""A file of ``fgmcaps calibrate`` as settings of a build or of a profile."""

from pathlib import Path

from fgmcaps.annotators import Profile, load_profile
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.config import BuildConfig
from fgmcaps.pipeline.labels.calibrate import read_calibration

_KEY = "fusion.calibration"


def with_calibration(config: BuildConfig, path: Path) -> BuildConfig:
    """The configuration with the file's curves among its profile's settings. Raises FgmcapsError."""
    profile = load_profile(config.profile)
    overrides = {**config.profile_overrides, _KEY: _curves(profile, path)}
    return config.model_copy(update={"profile_overrides": overrides})


def profile_with(profile: Profile, path: Path) -> Profile:
    """The profile with the file's curves. Raises FgmcapsError."""
    return profile.with_overrides({_KEY: _curves(profile, path)})


def _curves(profile: Profile, path: Path) -> dict[str, dict[str, float]]:
    if profile.fusion.recipe != "calibrated":
        raise FgmcapsError(f"--calibration {path}: profile {profile.name!r} has no probabilities to calibrate")
    return {str(name): curve.model_dump() for name, curve in read_calibration(path, profile.fusion.model).items()}
