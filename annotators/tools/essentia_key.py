"""Essentia's key finder with one of its key profiles.

Faraldo, Gomez, Jorda, Herrera, "Key estimation in electronic dance music", ECIR 2016 (profiles edma, bgate);
Sha'ath 2011 (shaath); Krumhansl 1990 (krumhansl). Its strength is a correlation, not a probability: it is above 0.5 on
nearly everything, white noise included.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fgmcaps.annotators.base import Annotator, Samples, installed_version
from fgmcaps.annotators.evidence.base import rounded
from fgmcaps.annotators.evidence.keys import KeyScores, MeanChroma
from fgmcaps.annotators.kernels.essentia_chroma import KEY_TABLES, chroma_extractor, key_scores
from fgmcaps.annotators.libraries.essentia import DISTRIBUTION, LICENCE, RATE, URL, import_essentia
from fgmcaps.annotators.tools.once_per_clip import OncePerClip
from fgmcaps.schemas import Key, ToolInfo
from fgmcaps.schemas.estimate import Detail, Value
from fgmcaps.schemas.music import canonical_key

PROFILES = ("bgate", "edma", "shaath", "krumhansl", "temperley", "braw")


@cache
def _shared_chroma() -> OncePerClip[npt.NDArray[np.float32]]:
    return OncePerClip(chroma_extractor())


@dataclass(frozen=True, slots=True)
class _KeyFinder:
    chroma: OncePerClip[npt.NDArray[np.float32]]
    decide: Any


class EssentiaKey(Annotator[_KeyFinder]):
    """Key of a clip as ``KeyExtractor`` gives it with the given profile, all other parameters as shipped.

    Details: ``second_relative``, the second best key's strength over the best one's as Essentia gives it; ``scores``,
    all 24 keys' (profiles bgate, shaath and krumhansl); ``chroma``, 12 values from C.
    """

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

    def _load(self) -> _KeyFinder:
        decide = import_essentia().Key(
            profileType=self.profile, usePolyphony=False, useThreeChords=False, pcpSize=12, numHarmonics=4
        )
        return _KeyFinder(_shared_chroma(), decide)

    def _estimate(self, model: _KeyFinder, samples: Samples) -> tuple[Value, float | None, dict[str, Detail]]:
        chroma = model.chroma(samples)
        tonic, mode, strength, second = model.decide(chroma)
        details: dict[str, Detail] = {}
        if np.isfinite(second):  # silence has no best key to divide by
            details["second_relative"] = round(float(second), 4)
        if self.profile in KEY_TABLES:
            details |= KeyScores(rounded(key_scores(chroma, self.profile))).to_details()
        if self.profile == "bgate":
            details |= MeanChroma(rounded(np.roll(chroma, -3))).to_details()
        return Key(canonical_key(f"{tonic} {mode}")), round(float(strength), 4), details
