"""What several layouts need, each in a file of its own."""
