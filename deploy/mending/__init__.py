"""Makes journal agree with store again."""
