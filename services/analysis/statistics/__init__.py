"""Statistics, computed from the state of a survey. Pure."""
