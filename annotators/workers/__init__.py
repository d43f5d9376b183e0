"""Modules that run in a tool's own environment; started by :mod:`fgmcaps.common.isolated`."""
