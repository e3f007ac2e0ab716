"""The HTML pages of intake, rendered from an instrument, a form state and a language. They do no I/O beyond loading templates."""
