"""``publication.json``: what was published and how. It marks a repository as ours and lists every file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fgmcaps.schemas import ContractError, from_json, to_json
from fgmcaps.schemas.version import FGMCAPS_SCHEMA_VERSION, is_readable

PUBLICATION_NAME = "publication.json"
CROISSANT_NAME = "croissant.json"
METADATA_CONFIG = "metadata"
METADATA_FOLDER = "metadata"
PLOTS_FOLDER = "plots"
MAX_PUBLICATION_BYTES = 64 << 20

AudioMode = Literal["embed", "none"]


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of the repository: path with forward slashes, size in bytes, SHA-256 in lower-case hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Publication:
    """How a dataset was published. No clock and no repository name: equal publications are equal bytes.

    ``withheld`` counts the rows whose audio stays behind, by licence (``""``: none given); ``files`` lists all
    other files of the publication.
    """

    schema_version: str
    config_name: str
    audio: AudioMode
    assumed_licence: str | None
    rows: int
    audio_rows: int
    withheld: dict[str, int] = field(default_factory=dict)
    files: tuple[PublishedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to be sent, and where it is on this disk."""

    published: PublishedFile
    source: Path


def publication_bytes(publication: Publication) -> bytes:
    """The file's bytes."""
    return (to_json(publication) + "\n").encode("utf-8")


def read_publication(data: bytes) -> Publication:
    """Parse and check; ContractError when it is malformed or of a newer major schema."""
    publication = from_json(Publication, data)
    if not is_readable(publication.schema_version):
        raise ContractError(f"schema version {publication.schema_version}, this program reads {FGMCAPS_SCHEMA_VERSION}")
    return publication
