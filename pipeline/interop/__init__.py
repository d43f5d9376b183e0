"""Datasets of others in our schema: ``fgmcaps import``. One format a file, one line each in ``registry``.

Empty on purpose: the command line imports this package to name its command, and must not wait for the formats.
"""
