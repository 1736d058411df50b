"""Writes of `datasets`: check, change, notify on commit. One verb or a few that belong together a file."""
