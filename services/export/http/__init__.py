"""The HTTP side of export."""
