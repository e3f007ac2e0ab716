"""Publishes editions of the figures and answers the questions of gateways."""
