"""Everything that trains, measures and publishes models. Heavy libraries live from here on."""

import os

# Read when an OpenMP library loads, so it must be set before the first one does. Threads that wait by spinning bring a training
# on a busy machine nearly to a halt (measured: ten times slower on two shared cores); waiting passively costs next to nothing.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
