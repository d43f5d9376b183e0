"""What the frozen features carry, and how fast they are made and read."""
