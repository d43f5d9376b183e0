"""Reads a caption back and compares it with the facts."""
