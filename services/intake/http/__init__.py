"""Routes of intake, with what they share."""
