"""FGMCaps and FIGMA. The rooms of the house are its packages: ``fgmcaps.annotators``, ``fgmcaps.training``, ..."""

from importlib.metadata import version

__version__ = version("fgmcaps")
