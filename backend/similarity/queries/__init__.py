"""Reads of `similarity`."""
