"""The commands that talk to a studio over its HTTP API: they need no database and work from any machine."""
