"""What goes wrong while computing embeddings, for people."""

from __future__ import annotations


class CannotEmbed(Exception):
    """Its message says what is wrong and what to do."""
