"""Writes of `learning`: a loop begun and ended, and its rounds."""
