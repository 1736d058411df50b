"""Yjs documents that several people edit at once: rooms in this process, a log in the database, a socket for each page."""
