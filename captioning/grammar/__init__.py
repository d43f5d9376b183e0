"""Constrained writing: grammars in which each fact stands exactly once and the words between are the model's."""
