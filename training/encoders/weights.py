"""Find an encoder's weights: a local folder, or a pinned revision on the Hugging Face Hub. Safetensors only."""

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError

_COMMIT = re.compile(r"[0-9a-f]{40}")
_BLOCK = 1 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """Where weights come from: ``path`` (a local folder) where given, else ``repository`` at ``revision``.

    ``revision`` may be a branch: it is resolved to a commit, so that features are keyed by what computed them.
    """

    encoder: str
    repository: str
    revision: str
    files: tuple[str, ...]
    path: str | None = None

    def resolve(self) -> str:
        """The commit (40 hex digits), or ``local:`` and a hash of a local folder's weights and config.

        Raises FgmcapsError, InvalidDataError (no safetensors), MachineError (the Hub does not answer).
        """
        if self.path is not None:
            return _content_of(self._local())
        if _COMMIT.fullmatch(self.revision):
            return self.revision
        from huggingface_hub import HfApi, constants

        if not constants.HF_HUB_OFFLINE:
            with _explained(self):
                return str(HfApi().model_info(self.repository, revision=self.revision).sha)
        return self._cached(self.revision).name

    def is_cached(self) -> bool:
        """True where using the weights fetches nothing."""
        from huggingface_hub import try_to_load_from_cache

        if self.path is not None:
            return True
        return isinstance(try_to_load_from_cache(self.repository, "config.json", revision=self.revision), str)

    def folder(self) -> Path:
        """The folder with the files, downloaded where the Hub's local cache lacks them; what comes is said first.

        Raises as :meth:`resolve`, and InvalidDataError for pickles where safetensors belong.
        """
        if self.path is not None:
            return self._local()
        commit = self.resolve()
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            found = self._cached(commit)
            if (found / "config.json").is_file() and list(found.glob("*.safetensors")):
                return found
        except (MachineError, LocalEntryNotFoundError):
            pass
        if constants.HF_HUB_OFFLINE:
            raise MachineError(self._absent("HF_HUB_OFFLINE is set"))
        with _explained(self):
            from fnmatch import fnmatch

            from huggingface_hub import HfApi

            listed = HfApi().model_info(self.repository, revision=commit, files_metadata=True).siblings or []
            wanted = [f for f in listed if any(fnmatch(f.rfilename, pattern) for pattern in self.files)]
            if not any(f.rfilename.endswith(".safetensors") for f in wanted):
                raise InvalidDataError(_pickles(f"{self.repository}@{commit[:12]}"))
            size = sum(f.size or 0 for f in wanted)
            log.warning(
                "encoder %s: downloading %d files, %.2f GB, of %s at %s into %s",
                *(self.encoder, len(wanted), size / 1e9, self.repository, commit[:12], constants.HF_HUB_CACHE),
            )
            return Path(snapshot_download(self.repository, revision=commit, allow_patterns=list(self.files)))

    def _local(self) -> Path:
        folder = Path(str(self.path))
        if not (folder / "config.json").is_file():
            raise FgmcapsError(f"encoder {self.encoder}: {folder}: no model there (no config.json)")
        if not list(folder.glob("*.safetensors")):
            raise InvalidDataError(_pickles(str(folder)))
        return folder

    def _cached(self, revision: str) -> Path:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            kept = snapshot_download(
                self.repository, revision=revision, allow_patterns=list(self.files), local_files_only=True
            )
            return Path(kept)
        except LocalEntryNotFoundError:
            raise MachineError(self._absent("not in the Hub's local cache")) from None

    def _absent(self, why: str) -> str:
        return (
            f"encoder {self.encoder}: no weights of {self.repository} at {self.revision} here ({why}); run once with "
            "access to the Hub, or give a folder with config.json and *.safetensors as its option `path`"
        )


class _explained:  # noqa: N801 - used as a `with` statement, not as a type
    """Turns the Hub's errors into one line."""

    def __init__(self, source: WeightsSource) -> None:
        self.source = source

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, FgmcapsError):
            return
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

        where = f"encoder {self.source.encoder}: {self.source.repository} at {self.source.revision}"
        if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError):
            raise FgmcapsError(f"{where}: no such model or revision on the Hub, or it is private") from None
        if isinstance(error, HfHubHTTPError | httpx2.HTTPError | OSError):
            first = " ".join(str(error).split())[:200]
            raise MachineError(
                f"{where}: the Hub does not answer ({first}); {self.source._absent('no download')}"
            ) from None


def _pickles(where: str) -> str:
    return (
        f"{where}: no *.safetensors there; pickles (*.bin, *.pt, *.ckpt) are refused, because loading one may run any "
        "code: save the weights with safetensors"
    )


def _content_of(folder: Path) -> str:
    """``local:`` and 16 hex digits over the config and the weights, so that other weights are another revision."""
    digest = hashlib.sha256()
    for path in [folder / "config.json", *sorted(folder.glob("*.safetensors"))]:
        digest.update(path.name.encode())
        with path.open("rb") as handle:
            while block := handle.read(_BLOCK):
                digest.update(block)
    return f"local:{digest.hexdigest()[:16]}"
