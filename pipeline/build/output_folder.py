"""The hidden work folder of a build, ``OUT/.fgmcaps``: journals, inventory, lock. Deleting it costs time, not data."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.files import write_atomically

WORK = ".fgmcaps"


class OutputFolder:
    """Paths of one build. Nothing is created before :meth:`prepare`."""

    def __init__(self, root: Path):
        self.root = root
        self.work = root / WORK
        self.identity_file = self.work / "build.json"
        self.inventory_file = self.work / "inventory.jsonl"

    def annotations(self, fingerprint: str) -> Path:
        """Annotation journal of one fingerprint."""
        return self.work / "annotations" / fingerprint[:16]

    def captions(self, fingerprint: str) -> Path:
        """Caption journal of one fingerprint."""
        return self.work / "captions" / fingerprint[:16]

    def prepare(self) -> None:
        """Create the folder; refuse one that holds somebody else's files or cannot be written.

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

    def read_identity(self) -> dict[str, Any] | None:
        """What the folder was built from and with; None for a new folder. Raises FgmcapsError if it is damaged."""
        try:
            data = json.loads(self.identity_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise FgmcapsError(f"{self.identity_file} is damaged; use --replace to build {self.root} anew")
        return data

    def claim(self, identity: dict[str, Any], replace: bool) -> None:
        """Bind the folder to an input and a configuration; refuse another one unless ``replace``."""
        before = None if replace else self.read_identity()
        if before is not None and before != identity:
            old, new = _flat(before), _flat(identity)
            changed = [f"{k}: {old.get(k)!r} -> {new.get(k)!r}" for k in new | old if old.get(k) != new.get(k)]
            raise FgmcapsError(
                f"the output folder {self.root} holds a build of another input or with other settings "
                f"({'; '.join(changed)}); name another folder, or pass --replace to rebuild this one"
            )
        write_atomically(self.identity_file, json.dumps(identity, indent=1, sort_keys=True).encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder: a second build into it gets a clear error. The lock dies with the process."""
        with (self.work / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise FgmcapsError(f"another fgmcaps command is working in {self.root}; wait for it to end") from None
            yield


def _flat(identity: dict[str, Any]) -> dict[str, Any]:
    """The settings beside the input, so that a difference is told by its own name."""
    config = identity.get("config")
    return {**{k: v for k, v in identity.items() if k != "config"}, **(config if isinstance(config, dict) else {})}
