"""Fitting and judging the fusion models of ``annotators/fusion/models``."""
