"""Bring the shards of a dataset on the Hugging Face Hub into its local cache.

The token is ``huggingface_hub``'s own (``HF_TOKEN`` or the stored login); ``HF_HUB_OFFLINE`` is honoured.
"""

import logging
import re
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError, MachineError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*(@[A-Za-z0-9][A-Za-z0-9_./-]*)?")
NONSENSE = (ValueError, TypeError, KeyError, AttributeError)
"""What the client library raises for an answer that is not one of the Hub's."""

log = logging.getLogger(__name__)


def is_hub_name(text: str) -> bool:
    """True for ``user/name`` and ``user/name@revision``."""
    return _NAME.fullmatch(text) is not None


def fetch_shards(name: str) -> Path:
    """Folder with the dataset's ``data/*.parquet`` in the Hub's cache; unchanged files are not fetched again.

    Raises FgmcapsError (no such dataset or revision, not a name, no rights), MachineError (no answer or one that makes
    no sense; offline and not in the cache).
    """
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repository, _, revision = name.partition("@")
    try:
        folder = snapshot_download(
            repository, repo_type="dataset", revision=revision or None, allow_patterns=["data/*.parquet", "*.parquet"]
        )
    except RevisionNotFoundError:
        raise FgmcapsError(f"{repository}: no revision {revision!r} on the Hub") from None
    except RepositoryNotFoundError:
        raise FgmcapsError(
            f"{name}: no such folder here and no such dataset on the Hub, or it is private and you are not logged in "
            "(`hf auth login`)"
        ) from None
    except LocalEntryNotFoundError:
        raise MachineError(
            f"{name}: not in the local cache, and the Hub does not answer (or HF_HUB_OFFLINE is set)"
        ) from None
    except HFValidationError as error:
        raise FgmcapsError(f"{name}: not a name on the Hub: {' '.join(str(error).split())[:200]}") from None
    except (HfHubHTTPError, httpx2.HTTPError, OSError, *NONSENSE) as error:
        first = " ".join(str(error).split())[:200]
        raise MachineError(f"{name}: fetching from the Hub failed: {first}; run the same command again") from None
    return Path(folder)
