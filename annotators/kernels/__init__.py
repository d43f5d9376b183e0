"""The arithmetic behind the tools: the same numbers as the packages that they come from, in less time."""
