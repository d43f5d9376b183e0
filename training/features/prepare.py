"""From settings and DATA to the feature cache that a training reads."""

import time
from pathlib import Path

from rich.console import Console

from fgmcaps.training.data.dataset import load_rows
from fgmcaps.training.encoders import make_audio_encoder, make_text_encoder
from fgmcaps.training.features.build import build_cache
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.settings import TrainSettings

PLAIN_EVERY_S = 10.0


def features_for(
    settings: TrainSettings, data: str, folder: Path, *, workers: int = 1, device: str = "auto", quiet: bool = False
) -> tuple[FeatureCache, dict[str, str]]:
    """The features of DATA by the encoders of ``settings``, computed where missing, and licences by encoder name.

    Under several processes the first one computes and the others wait for it. Raises what ``load_rows``,
    ``build_cache`` and the encoders raise.
    """
    from accelerate import PartialState

    if device == "auto":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    audio = make_audio_encoder(settings.audio_encoder, **settings.audio_options)
    text = make_text_encoder(settings.text_encoder, **settings.text_options)
    licences = {audio.name: audio.licence, text.name: text.licence}
    state = PartialState(cpu=device == "cpu")
    if state.is_main_process:
        build_cache(
            load_rows(data),
            audio,
            text,
            folder,
            dtype=settings.cache_dtype,
            device=device,
            workers=workers,
            report=_Lines(quiet),
        )
    state.wait_for_everyone()
    return FeatureCache.open(folder), licences


class _Lines:
    """Progress of the features in plain lines, at most one in ten seconds."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(stderr=True, quiet=quiet, markup=False, highlight=False)
        self.last, self.stage = time.monotonic(), ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - self.last < PLAIN_EVERY_S and stage == self.stage:
            return
        self.last, self.stage = now, stage
        self.console.print(f"features, {stage}: {done}/{total}", soft_wrap=True)
