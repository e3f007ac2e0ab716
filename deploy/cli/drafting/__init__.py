"""First drafts of questionnaires, out of data that were collected elsewhere."""
