"""Where libraries keep what they compute or fetch, for a user who may not write where they usually do.

In a container that runs under any UID, on a cluster's node, in an installation of somebody else, the folder of the
user's caches is often missing, read-only or root's. Then numba refuses to import what it would cache, and others fail
later. Imports the standard library only: it runs before anything that caches.
"""

import atexit
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

XDG, HF_HOME, NUMBA = "XDG_CACHE_HOME", "HF_HOME", "NUMBA_CACHE_DIR"


def place_caches() -> None:
    """Name a place that can be written for every cache that has none, in this process and all that it starts.

    What the user has set stays where it can be used, and so does a Hub cache that exists: its models and the stored
    token can be read there. Where nothing can be written, nothing is named, and numba compiles in memory
    (:mod:`fgmcaps.common.numba_cache`).
    """
    usual = _usual_caches()
    if usual is None or not may_write(usual):
        private = private_folder()
        if private is None:
            return
        if usual is not None and HF_HOME not in os.environ and os.access(usual / "huggingface", os.R_OK | os.X_OK):
            os.environ[HF_HOME] = str(usual / "huggingface")
        os.environ[XDG] = str(private)
    elif NUMBA not in os.environ and not may_write(usual / "numba"):  # root's, after one run with sudo
        private = private_folder()
        if private is not None:
            os.environ[NUMBA] = str(private / "numba")


def cache_folder() -> Path | None:
    """The folder of this user's caches, after :func:`place_caches`; None where there is none that can be written."""
    place_caches()
    found = _usual_caches()
    return found if found is not None and may_write(found) else None


def home_folder() -> Path | None:
    """The home of this user, whether it exists or not; None for a UID that has none."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_absolute() else None


def may_write(folder: Path) -> bool:
    """Whether this process may make files in ``folder``, or make the folder where it does not exist. Makes nothing."""
    place = folder.absolute()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def private_folder() -> Path | None:
    """A temporary folder that this user alone can enter, the same one each time; None where there is no place.

    What lies in it is loaded as code (numba's cache), so one that somebody else has made or can enter is not taken.
    """
    for place in dict.fromkeys([os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp", "/dev/shm"]):
        if not Path(place).is_absolute():
            continue
        path = Path(place) / f"fgmcaps-{os.geteuid()}"
        with suppress(OSError):
            path.mkdir(mode=0o700, exist_ok=True)
            if _is_mine_alone(path) and may_write(path):
                return path
            made = Path(tempfile.mkdtemp(prefix="fgmcaps-", dir=place))  # the name is taken
            atexit.register(_remove, made, os.getpid())
            return made
    return None


def _is_mine_alone(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a fork must not take it away
        shutil.rmtree(folder, ignore_errors=True)


def _usual_caches() -> Path | None:
    named = Path(os.environ.get(XDG, ""))
    if named.is_absolute():
        return named
    home = home_folder()
    return None if home is None else home / ".cache"
