"""The addresses of those who want the results of a survey."""
