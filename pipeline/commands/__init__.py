"""The commands of ``fgmcaps``: arguments in, one call, an exit code."""
