"""Prepares the servers: streams, roles, migrations, secrets."""
