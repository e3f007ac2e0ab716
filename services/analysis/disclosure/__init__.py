"""Disclosure control: which counts of a survey are published, when, with how much noise. Pure."""
