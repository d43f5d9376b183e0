"""The hidden work folder of a build, ``OUT/.fgmcaps``: journals, inventory, lock. Deleting it costs time, not data."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from fgmcaps.common.differences import differences
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.files import write_atomically
from fgmcaps.schemas import ContractError, from_json

WORK = ".fgmcaps"


@dataclass(frozen=True, slots=True)
class BuildIdentity:
    """What a folder is bound to: the input (:attr:`fgmcaps.pipeline.sources.Source.identity`) and the settings."""

    input: str
    config: dict[str, Any]

    def flat(self) -> dict[str, Any]:
        """Input and settings in one, so that a difference is named by the setting alone."""
        return {"input": self.input, **self.config}


class OutputFolder:
    """Paths of one build. Nothing is created before :meth:`prepare`."""

    def __init__(self, root: Path):
        self.root = root
        self.work = root / WORK
        self.identity_file = self.work / "build.json"
        self.inventory_file = self.work / "inventory.jsonl"
        self._outdated = self.work / "outdated"

    def annotations(self, fingerprint: str) -> Path:
        """Annotation journal of one fingerprint."""
        return self.work / "annotations" / fingerprint[:16]

    def captions(self, fingerprint: str) -> Path:
        """Caption journal of one fingerprint."""
        return self.work / "captions" / fingerprint[:16]

    def mark_outdated(self) -> None:
        """Note that the published dataset is not what the journals hold, or will not be soon. Survives a kill."""
        self._outdated.touch()

    def clear_outdated(self) -> None:
        """Note that the dataset is published."""
        self._outdated.unlink(missing_ok=True)

    def is_outdated(self) -> bool:
        """True from :meth:`mark_outdated` to :meth:`clear_outdated`."""
        return self._outdated.exists()

    def prepare(self) -> None:
        """Create the folder; refuse one that holds files of another program or cannot be written.

        Raises FgmcapsError.
        """
        try:
            if self.root.exists() and not self.root.is_dir():
                raise FgmcapsError(f"the output {self.root} is a file; name a folder")
            if self.root.is_dir() and not self.work.is_dir():
                foreign = next((p.name for p in sorted(self.root.iterdir())), None)
                if foreign is not None:
                    raise FgmcapsError(
                        f"the output folder {self.root} is not empty ({foreign!r}) and was not made by fgmcaps; "
                        "name a new folder"
                    )
            self.work.mkdir(parents=True, exist_ok=True)
            probe = self.work / f".probe-{uuid4().hex}"
            probe.touch()
            probe.unlink()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            reason = error.strerror if isinstance(error, OSError) else error
            raise FgmcapsError(f"cannot write to the output folder {self.root}: {reason}") from None

    def read_identity(self) -> BuildIdentity | None:
        """What the folder was built from and with; None for a new folder. Raises FgmcapsError if it is damaged."""
        try:
            return from_json(BuildIdentity, self.identity_file.read_bytes())
        except FileNotFoundError:
            return None
        except ContractError:
            raise FgmcapsError(f"{self.identity_file} is damaged; use --replace to rebuild {self.root}") from None

    def claim(self, identity: BuildIdentity, replace: bool) -> None:
        """Bind the folder to an input and settings. Raises FgmcapsError for others, unless ``replace``."""
        before = None if replace else self.read_identity()
        if before is not None and before != identity:
            changed = "; ".join(differences(before.flat(), identity.flat()))
            raise FgmcapsError(
                f"the output folder {self.root} holds a build of another input or with other settings ({changed}); "
                "name another folder, or pass --replace to rebuild this one"
            )
        write_atomically(self.identity_file, json.dumps(asdict(identity), indent=1, sort_keys=True).encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder: a second build into it gets a clear error. The lock dies with the process."""
        with (self.work / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise FgmcapsError(f"another fgmcaps command is working in {self.root}; wait for it to end") from None
            yield
