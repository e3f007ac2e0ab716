"""Limits on floods, robots and guesses; nothing here knows who anybody is."""
