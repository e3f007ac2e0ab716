"""The dataset: its variables, its one typed table, and what is said about them."""
