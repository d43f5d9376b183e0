"""Where our processes look for modules: neither in the working folder nor where PYTHONPATH says.

A user's project may well have a ``random.py``, a ``pipeline`` folder or a ``soundfile.py``, and a cluster's module
system may name packages of another Python. Imports ``os`` and ``sys`` only: all else may be shadowed until it has run.
"""

import os
import sys


def keep_other_modules_out() -> None:
    """Search installed packages only, in this process and in every process that it starts.

    Entries of PYTHONPATH under which this package itself is installed stay: the user has put it there on purpose.
    """
    given = [entry for entry in os.environ.pop("PYTHONPATH", "").split(os.pathsep) if entry]
    kept = [entry for entry in given if os.path.isdir(os.path.join(entry, "fgmcaps", "common"))]
    dropped = {os.path.realpath(entry) for entry in (os.curdir, *given) if entry not in kept}
    sys.path[:] = [entry for entry in sys.path if entry and os.path.realpath(entry) not in dropped]
    os.environ["PYTHONSAFEPATH"] = "1"
    if kept:
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)
