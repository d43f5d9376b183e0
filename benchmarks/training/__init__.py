"""What training costs, and what it is worth: the commands behind the numbers on FIGMA."""
