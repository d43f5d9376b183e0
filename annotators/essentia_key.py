"""Essentia's key finder with one of its key profiles.

Faraldo, Gomez, Jorda, Herrera, "Key estimation in electronic dance music", ECIR 2016 (profiles edma, bgate);
Sha'ath 2011 (shaath); Krumhansl 1990 (krumhansl). Its strength is a correlation, not a probability: it is above 0.5 on
nearly everything, white noise included.
"""

from typing import Any, ClassVar

from schemas import Key, ToolInfo
from schemas.estimate import Detail, Value
from schemas.music import canonical_key

from .base import Annotator, Samples, installed_version
from .essentia_lib import DISTRIBUTION, LICENCE, RATE, URL, import_essentia

PROFILES = ("bgate", "edma", "shaath", "krumhansl", "temperley", "braw")


class EssentiaKey(Annotator[Any]):
    """Key of a clip by ``KeyExtractor`` with the given profile, all other parameters as shipped."""

    attribute: ClassVar = "key"
    sample_rate: ClassVar[int] = RATE
    requires: ClassVar[tuple[str, ...]] = (DISTRIBUTION,)

    def __init__(self, profile: str = "bgate") -> None:
        super().__init__()
        if profile not in PROFILES:
            raise ValueError(f"unknown key profile {profile!r}; one of {', '.join(PROFILES)}")
        self.profile = profile

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        return ToolInfo(f"essentia_key_{self.profile}", installed_version(DISTRIBUTION), LICENCE, URL)

    def settings(self) -> dict[str, Detail]:
        """The key profile."""
        return {"profile": self.profile}

    def _load(self) -> Any:
        return import_essentia().KeyExtractor(profileType=self.profile, sampleRate=RATE)

    def _estimate(self, model: Any, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        tonic, mode, strength = model(samples)
        return Key(canonical_key(f"{tonic} {mode}")), round(float(strength), 4), {}
