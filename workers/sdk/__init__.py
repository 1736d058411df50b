"""What component authors, the engine and the backend share. Pure: no Django, no torch, nothing heavy at import."""
