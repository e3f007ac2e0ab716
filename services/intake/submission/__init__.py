"""Submits a response: validated, written to the journal, acknowledged, opened again by its receipt."""
