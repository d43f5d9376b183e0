"""What a label could be, and the evidence for each possibility; one attribute a file."""
