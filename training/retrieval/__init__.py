"""A trained model in use: embed, index, search, explain."""
