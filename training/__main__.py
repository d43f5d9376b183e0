"""``python -m fgmcaps.training``: the ``figma`` command, for launchers that start modules."""

from fgmcaps.common.entry import figma

figma()
