"""Omnizart's chord model, the chord tool of the published recipe, in its TensorFlow environment.

Wu et al., "Omnizart: a general toolbox for automatic music transcription", JOSS 2021; the model is the Harmony
Transformer of Chen and Su, ISMIR 2019: major and minor triads.
"""

import hashlib
from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from fgmcaps.annotators.tools.isolated_chords import IsolatedChordTool
from fgmcaps.schemas import ToolInfo
from fgmcaps.schemas.estimate import Detail

OMNIZART_VERSION = "0.6.3"
CHECKPOINT = "omnizart/checkpoints/chord/chord_v1"
WEIGHTS = "variables/variables.data-00000-of-00001"


class OmnizartChords(IsolatedChordTool):
    """Major and minor triads and ``N``. Confidence: mean posterior of the chosen chord over the frames.

    Args:
        environment: see :class:`IsolatedChordTool`; variable ``FGMCAPS_OMNIZART_ENV``.
        model_path: folder of a SavedModel of the same signature with ``configurations.yaml``, in place of Omnizart's
            own; its name begins with ``chord`` (Omnizart looks for that).
    """

    sample_rate: ClassVar[int] = 44_100
    environment_variable: ClassVar[str] = "FGMCAPS_OMNIZART_ENV"
    make_target: ClassVar[str] = "omnizart"
    worker_module: ClassVar[str] = "fgmcaps.annotators.workers.omnizart"

    def __init__(
        self,
        environment: str | None = None,
        model_path: str | None = None,
        timeout_s: float = 120.0,
        start_timeout_s: float = 300.0,
    ) -> None:
        super().__init__(environment, timeout_s, start_timeout_s)
        self.model_path = model_path

    @property
    def info(self) -> ToolInfo:
        """Name, version, licence and address."""
        url = "https://github.com/Music-and-Culture-Technology-Lab/omnizart"
        return ToolInfo("omnizart", OMNIZART_VERSION, "MIT", url)

    @property
    def versions(self) -> dict[str, str]:
        """The pinned version."""
        return {"omnizart": OMNIZART_VERSION}

    def settings(self) -> dict[str, Detail]:
        """SHA-256 of the checkpoint, wherever it lies: other weights are another tool."""
        return {"checkpoint_sha256": checkpoint_digest(self.checkpoint())}

    def checkpoint(self) -> Path:
        """Folder of the SavedModel."""
        if self.model_path is not None:
            return Path(self.model_path).absolute()
        found = sorted(self.environment_path().glob("lib/python3*/site-packages"))
        site = found[0] if found else self.environment_path() / "lib/python3.11/site-packages"
        return site / CHECKPOINT

    def missing(self) -> tuple[str, ...]:
        """Also names a checkpoint file that does not exist, with the command that fetches it."""
        lacks = super().missing()
        weights = self.checkpoint() / WEIGHTS
        if lacks or weights.exists():
            return lacks
        command = self.environment_path() / "bin" / "omnizart"
        remedy = (
            f"run `{command} download-checkpoints` (asset chord_v1@variables.data-00000-of-00001 of Omnizart's release "
            "checkpoints-20211001)"
            if self.model_path is None
            else "give model_path the folder of a whole SavedModel"
        )
        return (f"omnizart: its checkpoint file {weights} does not exist; {remedy}",)

    def worker_env(self) -> dict[str, str | None]:
        """One thread, no GPU, the Keras that Omnizart was written for."""
        return {
            **super().worker_env(),
            "TF_USE_LEGACY_KERAS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "FGMCAPS_OMNIZART_MODEL": str(self.checkpoint()),
        }

    def _cache_key(self) -> Hashable:
        return super()._cache_key(), str(self.checkpoint())


def checkpoint_digest(folder: Path) -> str:
    """First 16 hex digits of the SHA-256 of a SavedModel's graph and variables; ``missing`` without its weights."""
    files = [folder / name for name in ("saved_model.pb", "variables/variables.index", WEIGHTS)]
    try:
        stamps = tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)
    except OSError:
        return "missing"
    return _digest(stamps)


@lru_cache(maxsize=8)
def _digest(stamps: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256()
    for name, _, _ in stamps:
        with Path(name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]
