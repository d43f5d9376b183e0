"""The commands of `figma`, one file each."""
