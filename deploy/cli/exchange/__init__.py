"""Questionnaires of other tools, in and out: readers, one neutral tree, writers."""
