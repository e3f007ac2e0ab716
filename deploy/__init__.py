"""Runs Platea: embedded stack, front, provisioning, command line, files of a cluster."""
