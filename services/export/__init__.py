"""Export publishes anonymised, numbered, checksummed datasets."""
