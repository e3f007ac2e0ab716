"""The HTML pages of intake, rendered from a form state in one language. They do no I/O beyond loading templates."""
