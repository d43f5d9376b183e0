"""Carry out one export or one import, whole or not at all."""
