"""A small server that speaks the part of the Hub's protocol that publishing needs. A test tool: see ``server.py``."""
