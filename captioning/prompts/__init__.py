"""Prompts: versioned text files and the code that fills them."""
