"""The embedded stack: servers with services as supervised child processes."""
