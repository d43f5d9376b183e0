"""Start one worker module in whatever environment runs this file: ``python -I boot.py MODULE [ROOT]``.

MODULE is one of ours, or one that is found under ROOT.
The packages on the way to MODULE are entered without running their ``__init__``, which may import what this environment
does not have. ``-I`` keeps the working folder, this folder and PYTHONPATH out of the search for modules.
"""

import importlib
import os
import sys
import types
from pathlib import Path

_OURS = "fgmcaps"
_ROOMS = Path(__file__).resolve().parents[2]
"""The folder whose folders are the packages of ``fgmcaps``: the repository, or ``fgmcaps`` among installed packages."""
_LIFELINE_VARIABLE = "FGMCAPS_LIFELINE_FD"


def _enter_packages(module: str) -> None:
    """Register each package on the way to ``module`` as a bare one."""
    parts = module.split(".")[:-1]
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        package = types.ModuleType(name)
        package.__path__ = [str(_ROOMS.joinpath(*parts[1:depth]))]
        sys.modules.setdefault(name, package)


def main(module: str, root: str | None = None) -> None:
    """Run ``main(channel)`` of the worker until the parent closes the channel."""
    if root is not None:
        sys.path.append(root)
    _enter_packages("fgmcaps.common.isolated.server")
    if module.startswith(f"{_OURS}."):
        _enter_packages(module)
    server = importlib.import_module("fgmcaps.common.isolated.server")
    channel = server.Channel.take_over_stdio()  # before the worker's imports: libraries print while they load
    if _LIFELINE_VARIABLE in os.environ:
        server.guard_parent(int(os.environ.pop(_LIFELINE_VARIABLE)))
    try:
        importlib.import_module(module).main(channel)
    except Exception as error:
        server.refuse(channel, error)
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
