"""The trained part of FIGMA: heads, views, scores, losses, and the folder that a model is kept in."""
