"""Words by which a role is guessed, a module for each language. Pure."""
