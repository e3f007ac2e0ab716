"""The state of a survey: sums of all responses that add, subtract and merge."""
