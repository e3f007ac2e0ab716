"""Conditions as other tools write them: one grammar, a table per dialect, and what becomes of them here. Pure."""
