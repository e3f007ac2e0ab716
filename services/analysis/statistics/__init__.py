"""Statistics: pure readings of the state."""
