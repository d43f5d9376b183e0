"""From settings and DATA to the feature cache that a training reads."""

from pathlib import Path

from fgmcaps.common.progress import Progress
from fgmcaps.training.data.dataset import load_rows
from fgmcaps.training.device import choose_device
from fgmcaps.training.encoders import make_audio_encoder, make_text_encoder
from fgmcaps.training.features.build import build_cache
from fgmcaps.training.features.cache import FeatureCache
from fgmcaps.training.features.stages import FEATURE_STAGES
from fgmcaps.training.settings import TrainSettings


def features_for(
    settings: TrainSettings, data: str, folder: Path, *, workers: int = 1, device: str = "auto", quiet: bool = False
) -> tuple[FeatureCache, dict[str, str]]:
    """The features of DATA by the encoders of ``settings``, computed where missing, and licences by name.

    The licences are those of the encoders and of the tools that made the labels.

    Under several processes the first one computes and the others wait for it. Raises what ``load_rows``,
    ``build_cache`` and the encoders raise.
    """
    from accelerate import PartialState

    device = choose_device(device)
    audio = make_audio_encoder(settings.audio_encoder, **settings.audio_options)
    text = make_text_encoder(settings.text_encoder, **settings.text_options)
    rows = load_rows(data)
    licences = {**rows.label_licences(), audio.name: audio.licence, text.name: text.licence}
    state = PartialState(cpu=device == "cpu")
    if state.is_main_process:
        with Progress(quiet=quiet) as progress:
            build_cache(
                rows,
                audio,
                text,
                folder,
                dtype=settings.cache_dtype,
                device=device,
                workers=workers,
                report=progress.stages(FEATURE_STAGES),
            )
    state.wait_for_everyone()
    return FeatureCache.open(folder), licences
