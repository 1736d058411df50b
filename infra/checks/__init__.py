"""The static checks: each a command of its own, so that any of them can be run alone."""
