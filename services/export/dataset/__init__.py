"""The dataset of a release: variables, typed table, descriptions."""
