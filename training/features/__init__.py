"""Frozen features: computed once, kept on disk, read in any batch."""
