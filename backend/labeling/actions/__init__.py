"""Writes of `labeling`: one file a subject."""
