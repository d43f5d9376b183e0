"""The annotators: one tool a file, each behind the contract of :mod:`fgmcaps.annotators.base`."""
