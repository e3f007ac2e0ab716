"""The report of a release: its risk before and after, the attacks that were run, what protection cost; pure."""
