"""Makes the journal and the store say the same again."""
