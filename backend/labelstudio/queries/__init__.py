"""Reads of `labelstudio`: our rows as Label Studio writes them."""
