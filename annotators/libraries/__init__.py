"""Third-party libraries that need care to import: late, quietly, or one process at a time."""
