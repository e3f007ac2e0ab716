"""Protecting microdata: groups of at least k that the declared quasi-identifiers cannot tell apart. Pure."""
