"""Free texts in releases: reviewed by people, published apart from the rows."""
