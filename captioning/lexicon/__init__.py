"""Word lists of the checker, one text file a list."""
