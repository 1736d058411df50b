"""Reads of `labeling`."""
