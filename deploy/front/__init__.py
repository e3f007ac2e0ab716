"""One origin for all services."""
