"""The components: one file each, found by `workers.catalog`. Importing one is cheap; heavy libraries load when it runs."""

import os

# Read when an OpenMP library loads, so it must be set before the first component runs. Threads that wait by spinning bring a training
# on a busy machine nearly to a halt (measured: ten times slower on two shared cores); waiting passively costs next to nothing.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
