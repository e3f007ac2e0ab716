"""Drafts: save a form and continue it later."""
