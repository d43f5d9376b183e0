"""``python -m fgmcaps``: the ``fgmcaps`` command."""

from fgmcaps.common.entry import fgmcaps

fgmcaps()
