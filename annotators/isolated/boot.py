"""Start one worker module in whatever environment runs this file: ``python boot.py ROOT MODULE``.

The packages on the way to MODULE are entered without running their ``__init__``, which may import what this environment
does not have.
"""

import importlib
import os
import sys
import types
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LIFELINE_VARIABLE = "FGMCAPS_LIFELINE_FD"


def _enter_packages(root: Path, module: str) -> None:
    """Register each parent package of ``module`` as a bare one whose modules are found under ``root``."""
    parts = module.split(".")[:-1]
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*parts[:depth]))]
        sys.modules.setdefault(name, package)


def main(root: Path, module: str) -> None:
    """Run ``main(channel)`` of the worker until the parent closes the channel."""
    # This folder came first on sys.path; omnizart.py in it would hide the tool of that name. ROOT comes last instead.
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != _HERE] + [str(root)]
    _enter_packages(_HERE.parents[1], "annotators.isolated.server")
    _enter_packages(root, module)
    server = importlib.import_module("annotators.isolated.server")
    channel = server.Channel.take_over_stdio()  # before the worker's imports: libraries print while they load
    if _LIFELINE_VARIABLE in os.environ:
        server.guard_parent(int(os.environ.pop(_LIFELINE_VARIABLE)))
    try:
        importlib.import_module(module).main(channel)
    except Exception as error:
        server.refuse(channel, error)
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
