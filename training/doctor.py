"""What ``figma doctor`` looks at: the GPU, the installation and the encoders' weights. Nothing is fetched."""

from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.doctor import Finding, State
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.extras import EXTRAS, remedy_for
from fgmcaps.training.encoders import AUDIO_ENCODERS, TEXT_ENCODERS, make_audio_encoder, make_text_encoder
from fgmcaps.training.encoders.minilm import MiniLMEncoder
from fgmcaps.training.encoders.weights import WeightsSource


def findings(chosen: tuple[str, ...]) -> Iterator[Finding]:
    """Everything, in the order in which it is shown; what the encoders ``chosen`` lack is ``missing``, not ``off``."""
    import torch

    for name in chosen:
        if name not in (*AUDIO_ENCODERS, *TEXT_ENCODERS):
            raise FgmcapsError(f"no such encoder: {name}{did_you_mean(name, (*AUDIO_ENCODERS, *TEXT_ENCODERS))}")
    gpu = torch.cuda.is_available()
    name = torch.cuda.get_device_name() if gpu else "none that torch can use; all runs without"
    yield Finding("Machine", "GPU", "ok" if gpu else "off", name)
    yield Finding("Installation", "fgmcaps", "ok", version("fgmcaps"))
    yield Finding("Installation", "torch", "ok", torch.__version__)
    extra = next(extra for extra in EXTRAS if extra.name == "train")
    lacks = extra.missing()
    detail = f"lacks {', '.join(lacks)}" if lacks else extra.purpose
    remedy = f"pip install 'fgmcaps[{extra.name}]'" if lacks else ""
    yield Finding("Installation", "extra train", "off" if lacks else "ok", detail, remedy)
    for encoder in AUDIO_ENCODERS:
        yield _encoder("Audio encoders", encoder, encoder in chosen)
    for encoder in TEXT_ENCODERS:
        yield _encoder("Text encoders", encoder, encoder in chosen)


def _encoder(section: str, name: str, chosen: bool) -> Finding:
    absent: State = "missing" if chosen else "off"
    if name == "muq" and find_spec("muq") is None:
        return Finding(section, name, absent, "the package muq is not installed", remedy_for("muq") or "")
    try:
        encoder = make_audio_encoder(name) if name in AUDIO_ENCODERS else make_text_encoder(name)
        source = getattr(encoder, "source", None)
        if isinstance(source, WeightsSource) and not source.is_cached():
            size = f"{source.repository} is downloaded at first use"
            return Finding(section, name, absent, size, "give the option path=FOLDER to use a copy")
        if isinstance(encoder, MiniLMEncoder):
            encoder.folder()
    except FgmcapsError as error:
        return Finding(section, name, absent, str(error))
    return Finding(section, name, "ok", f"weights: {encoder.licence}")
