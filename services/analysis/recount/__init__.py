"""The same figures by other code, from the stored answers."""
