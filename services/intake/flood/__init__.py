"""Limits on automated use; nothing here identifies anybody."""
