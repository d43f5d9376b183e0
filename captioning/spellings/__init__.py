"""How a caption may spell each fact: one table for the template, the prompts and the grammars."""
