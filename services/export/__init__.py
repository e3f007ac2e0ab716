"""Export publishes anonymised, numbered, checksummed datasets."""

import os

# One thread per product, set before numpy is loaded: those that read a release's answers are many and small, and threads that
# wait for the next one by spinning cost as much as all the rest of reading.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
