"""Data files that other programs wrote: bytes in, columns and rows out."""
