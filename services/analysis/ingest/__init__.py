"""From the journal to the store: records each response once, keeps the state of each partition."""
