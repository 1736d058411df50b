"""One process that starts, watches and ends the parts of a studio on one machine (see `infra/README.md`)."""
