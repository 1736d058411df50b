"""Writes of `core`: check, change, notify. One verb a file where it is long."""
