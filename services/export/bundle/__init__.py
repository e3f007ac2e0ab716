"""A release on disk: published whole, signed, verified."""
