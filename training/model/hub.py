"""Publish a trained model on the Hugging Face Hub in one commit, and bring one back.

The token is ``huggingface_hub``'s own (``HF_TOKEN`` or the stored login); it is never read, passed on or logged here.
"""

import filecmp
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError
from fgmcaps.common.new_folder import new_folder
from fgmcaps.training.data.hub import NONSENSE, is_hub_name
from fgmcaps.training.model.card import licence_of
from fgmcaps.training.model.metrics_file import METRICS, read_metrics
from fgmcaps.training.model.model import CONFIG, ENCODER, HEADS, FigmaModel

CARD = "README.md"
NEEDED = (CONFIG, HEADS, CARD, METRICS)
OPTIONAL = (ENCODER, "curves.png", "evaluation/evaluation.json", "evaluation/evaluation.md", "evaluation/*.png")
FETCHED = (CONFIG, HEADS, ENCODER, METRICS, CARD)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did: the page, the commit (None: the repository held the same files), the files that were sent."""

    url: str
    commit: str | None
    files: tuple[str, ...]
    licence: str


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did: the commit, the files that it brought (none: they were there), the model's licence."""

    commit: str
    files: tuple[str, ...]
    licence: str


def fetch_model(path_or_id: str | Path, revision: str | None = None) -> Path:
    """The folder of a model: a local one, or one from the Hub's local cache, fetched where it is not there yet.

    Raises FgmcapsError (neither a folder nor a model on the Hub) and MachineError (the Hub does not answer).
    """
    path = Path(path_or_id)
    if path.is_dir():
        if revision is not None:
            raise FgmcapsError(f"{path} is a folder; --revision is for models on the Hub")
        return path
    name = str(path_or_id)
    if path.exists() or not is_hub_name(name):
        raise FgmcapsError(f"{name}: no model folder there; give the OUT of `figma train`, or user/model on the Hub")
    from huggingface_hub import snapshot_download

    repository, _, at = name.partition("@")
    with _explained(name, "fetch"):
        return Path(snapshot_download(repository, revision=revision or at or None, allow_patterns=list(FETCHED)))


def model_files(out: Path) -> dict[str, Path]:
    """The files of a finished training that are published, by their path in the repository.

    Raises FgmcapsError where the training has not finished and InvalidDataError where the model cannot be loaded: what
    is published works.
    """
    FigmaModel.load(out)
    if read_metrics(out) is None:
        raise FgmcapsError(f"{out}: the training has not finished; run `figma train` again, then push")
    missing = [name for name in NEEDED if not (out / name).is_file()]
    if missing:
        raise InvalidDataError(f"{out}: {missing[0]} is missing; run `figma train` again")
    found = [out / name for name in NEEDED]
    found += sorted(path for pattern in OPTIONAL for path in out.glob(pattern) if path.is_file())
    return {path.relative_to(out).as_posix(): path for path in found}


def pull_model(
    repo_id: str, out: str | Path, *, revision: str | None = None, report: Callable[[int, int], None] | None = None
) -> Pulled:
    """Bring the published model ``repo_id`` (``user/model``) into the folder ``out``, whole or not at all.

    ``report`` is told how many files of how many are there; an interrupted download continues. A folder with the same
    model stays as it is. Raises FgmcapsError (no such model, a folder of something else), InvalidDataError (what is
    published cannot be loaded), MachineError (the Hub does not answer).
    """
    from huggingface_hub import HfApi

    out, say = Path(out), report or (lambda done, total: None)
    _check_name(repo_id)
    api = HfApi()
    with _explained(repo_id, "pull"):
        commit = str(api.model_info(repo_id, revision=revision).sha)
        found = api.get_paths_info(repo_id, list(FETCHED), revision=commit, repo_type="model")
        names = [name for name in FETCHED if name in {entry.path for entry in found}]
        if not {CONFIG, HEADS} <= set(names):
            raise FgmcapsError(f"{repo_id}: no FIGMA model; {CONFIG} and {HEADS} are not both there")
        fetched = {}
        for number, name in enumerate(names):
            say(number, len(names))
            fetched[name] = Path(api.hf_hub_download(repo_id, name, revision=commit, repo_type="model"))
        say(len(names), len(names))
    licence = licence_of(FigmaModel.load(fetched[CONFIG].parent).config)
    if all((out / name).is_file() and filecmp.cmp(out / name, fetched[name], shallow=False) for name in names):
        return Pulled(commit, (), licence)
    with new_folder(out, replace=False, ours=lambda folder: False) as folder:
        for name, path in fetched.items():
            shutil.copyfile(path, folder / name)
    return Pulled(commit, tuple(names), licence)


def push_model(
    out: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    message: str | None = None,
    dry_run: bool = False,
    sending: Callable[[int, int], None] | None = None,
) -> Pushed:
    """Publish the finished model in ``out`` as ``repo_id`` (``user/model``): one commit, whole or not at all.

    ``private`` is the visibility of a repository that is created. Safe to call again: an unchanged model makes no
    commit. ``dry_run``: only say what would be sent. ``sending`` is told the number of files and bytes.

    Raises FgmcapsError (unfinished training, not logged in, no rights), InvalidDataError (a damaged model),
    MachineError (the Hub does not answer).
    """
    import huggingface_hub
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    out = Path(out)
    _check_name(repo_id)
    files = model_files(out)
    licence = licence_of(FigmaModel.load(out).config)
    if not huggingface_hub.get_token():
        raise FgmcapsError("not logged in to the Hub: set HF_TOKEN or run `hf auth login`, then push again")
    api = HfApi()
    with _explained(repo_id, "push"):
        exists = api.repo_exists(repo_id, repo_type="model")
        if not dry_run:
            if not exists:
                api.create_repo(repo_id, repo_type="model", private=private, exist_ok=True)
            if revision is not None:
                api.create_branch(repo_id, branch=revision, repo_type="model", exist_ok=True)
        compared = exists or not dry_run
        try:
            changed = _changed(api, repo_id, revision, files) if compared else list(files)
        except RevisionNotFoundError:  # only before the branch is made
            if not dry_run:
                raise
            changed = list(files)
        url = f"{api.endpoint}/{repo_id}"
        if not changed or dry_run:
            return Pushed(url, None, tuple(changed), licence)
        if sending is not None:
            sending(len(changed), sum(files[name].stat().st_size for name in changed))
        done = api.create_commit(
            repo_id,
            [CommitOperationAdd(name, str(files[name])) for name in changed],
            commit_message=message or "Publish a FIGMA model",
            repo_type="model",
            revision=revision,
        )
    return Pushed(url, str(done.oid), tuple(changed), licence)


def _check_name(repo_id: str) -> None:
    if not _ID.fullmatch(repo_id) or "--" in repo_id or ".." in repo_id:
        raise FgmcapsError(f"{repo_id!r} is not a repository: name it user/model (letters, digits, - _ and .)")


def _changed(api: Any, repo_id: str, revision: str | None, files: dict[str, Path]) -> list[str]:
    """Names of the files that the repository lacks or has with other bytes."""
    import hashlib

    there = {f.path: f for f in api.get_paths_info(repo_id, list(files), revision=revision, repo_type="model")}

    def same(name: str) -> bool:
        entry = there.get(name)
        if entry is None:
            return False
        data = files[name].read_bytes()
        if entry.lfs is not None:
            return bool(entry.lfs.sha256 == hashlib.sha256(data).hexdigest())
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        return bool(entry.blob_id == blob)

    return [name for name in files if not same(name)]


@contextmanager
def _explained(name: str, doing: str) -> Iterator[None]:
    """Turn what the client library raises into one line that says what to do."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    except RevisionNotFoundError:
        raise FgmcapsError(f"{name}: no such revision on the Hub") from None
    except RepositoryNotFoundError:
        raise FgmcapsError(
            f"{name}: no such folder here and no such model on the Hub, or it is private and you are not logged in "
            "(`hf auth login`)"
        ) from None
    except LocalEntryNotFoundError:
        why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else "the Hub does not answer"
        raise MachineError(f"{name}: not in the local cache, and {why}") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise FgmcapsError(
                f"{name}: cannot {doing}: the Hub refuses the token (HTTP {status}); use one that may write to "
                f"{name.partition('/')[0]}"
            ) from None
        raise MachineError(
            f"{name}: cannot {doing}: the Hub answers HTTP {status}; run the same command again"
        ) from None
    except FgmcapsError:
        raise
    except HFValidationError as error:
        raise FgmcapsError(f"{name}: not a name on the Hub: {' '.join(str(error).split())[:200]}") from None
    except (httpx2.HTTPError, OSError, *NONSENSE) as error:
        first = " ".join(str(error).split())[:200]
        raise MachineError(f"{name}: cannot {doing}: {first}; run the same command again") from None
    finally:
        if bars:
            enable_progress_bars()
