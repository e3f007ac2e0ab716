"""The services: intake accepts, analysis counts, export publishes. None imports another."""
