"""Headrace's web side: Django, the JSON API, live sockets."""

__version__ = "0.1.0"
