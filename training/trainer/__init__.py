"""A training run: steps, epochs, checkpoints, and what it leaves behind."""
