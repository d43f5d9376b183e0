"""Where tracks come from: a folder, a manifest file, or a Hugging Face dataset. One reader a file."""

from pathlib import Path

from fgmcaps.common.did_you_mean import did_you_mean
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.sources.base import DEFAULTS, FoundFile, Source, SourceOptions, printable
from fgmcaps.pipeline.sources.folder import AUDIO_SUFFIXES, FolderSource, has_audio, walk
from fgmcaps.pipeline.sources.hf_dataset import HubDatasetSource, parquet_has_audio
from fgmcaps.pipeline.sources.manifest_file import MANIFEST_SUFFIXES, ManifestSource

__all__ = ["FoundFile", "Source", "SourceOptions", "open_source"]


def holds_dataset(root: Path, exclude: Path | None = None) -> bool:
    """True if some file below ``root`` is Parquet or Arrow."""
    return any(path.suffix.lower() in (".parquet", ".arrow") for path, _ in walk(root, exclude))


def open_source(text: str, exclude: Path | None = None, options: SourceOptions = DEFAULTS) -> Source:
    """Recognise INPUT and return its reader; ``exclude`` is a folder to leave out (the output inside the input).

    Raises FgmcapsError that says what INPUT may be.
    """
    path = Path(text)
    if path.is_dir():
        if has_audio(path, exclude):
            return FolderSource(path, exclude, options)
        if holds_dataset(path, exclude):
            return HubDatasetSource(text, options)
        return FolderSource(path, exclude, options)  # its error says what the folder holds
    if path.is_file():
        suffix = path.suffix.lower()
        if suffix == ".parquet" and parquet_has_audio(path):
            return HubDatasetSource(text, options)
        if suffix in MANIFEST_SUFFIXES:
            return ManifestSource(path, options)
        if suffix in AUDIO_SUFFIXES:
            raise FgmcapsError(f"the input {text} is one audio file; name its folder, or use `fgmcaps annotate-file`")
        raise FgmcapsError(
            f"the input {text} is not a folder, a manifest ({', '.join(MANIFEST_SUFFIXES)}) or a dataset"
        )
    user, slash, name = text.partition("/")
    if slash and user and name and "/" not in name and not text.startswith((".", "~")) and not Path(user).is_dir():
        return HubDatasetSource(text, options)
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    raise FgmcapsError(
        f"no such input: {printable(text)}{printable(did_you_mean(path.name, beside))}; give a folder of audio, "
        f"a manifest ({', '.join(MANIFEST_SUFFIXES)}), or a Hugging Face dataset (user/name, or a folder of Parquet "
        "files with an Audio column)"
    )
