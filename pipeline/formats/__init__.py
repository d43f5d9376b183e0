"""Layouts of others, read and written."""
