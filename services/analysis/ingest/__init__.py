"""From the journal to the store: reads events, records each response once, keeps the counts of each partition."""
