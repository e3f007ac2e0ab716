"""What runs Platea: the embedded stack, the front, provisioning, the command line, and the files of a cluster."""
