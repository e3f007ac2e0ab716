"""JetStream streams as intake uses them: compare-and-swap records, reads from a leader, servers that stall."""
