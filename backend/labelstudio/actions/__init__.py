"""Writes of `labelstudio`: one file a subject."""
