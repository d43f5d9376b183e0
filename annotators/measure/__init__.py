"""Makes the evidence of :mod:`fgmcaps.annotators.evidence` from activations, posteriors and samples. Pure."""
