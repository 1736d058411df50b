"""Writes of `similarity`."""
