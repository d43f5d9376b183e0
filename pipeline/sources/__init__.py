"""Where tracks come from: a folder, a manifest file, or a Hugging Face dataset. One reader a file."""

from pathlib import Path

from pipeline.errors import CommandError
from pipeline.sources.base import FoundFile, Source
from pipeline.sources.folder import AUDIO_SUFFIXES, FolderSource, has_audio
from pipeline.sources.hf_dataset import HubDatasetSource, parquet_has_audio
from pipeline.sources.manifest_file import MANIFEST_SUFFIXES, ManifestSource

__all__ = ["FoundFile", "Source", "open_source"]


def open_source(text: str, exclude: Path | None = None) -> Source:
    """Recognise INPUT and return its reader; ``exclude`` is a folder to leave out (the output inside the input).

    Raises CommandError that says what INPUT may be.
    """
    path = Path(text)
    if path.is_dir():
        if has_audio(path, exclude):
            return FolderSource(path, exclude)
        if any(path.glob("**/*.parquet")) or any(path.glob("**/*.arrow")):
            return HubDatasetSource(text)
        return FolderSource(path, exclude)  # its error tells what the folder holds
    if path.is_file():
        suffix = path.suffix.lower()
        if suffix == ".parquet" and parquet_has_audio(path):
            return HubDatasetSource(text)
        if suffix in MANIFEST_SUFFIXES:
            return ManifestSource(path)
        if suffix in AUDIO_SUFFIXES:
            raise CommandError(f"the input {text} is one audio file; name its folder, or use `fgmcaps annotate-file`")
        raise CommandError(f"the input {text} is no folder, manifest ({', '.join(MANIFEST_SUFFIXES)}) or dataset")
    if text.count("/") == 1 and not text.startswith((".", "/", "~")) and all(text.split("/")):
        return HubDatasetSource(text)
    raise CommandError(
        f"no such input: {text}; give a folder of audio, a manifest ({', '.join(MANIFEST_SUFFIXES)}), "
        "or a Hugging Face dataset (user/name, or a folder of Parquet files with an Audio column)"
    )
