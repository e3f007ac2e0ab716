"""Analysis: records each response once, keeps the figures of every survey up to date, publishes them."""

import os

# One thread per product, set before numpy is loaded: partitions are multiplied side by side already, and threads that wait for
# each other by spinning take the processor away from the servers on the same machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys

sys.setswitchinterval(0.0005)
