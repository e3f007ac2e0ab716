"""The state of a survey: sums over its responses that add, subtract, merge. Pure."""
