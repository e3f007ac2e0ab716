"""The read side: follows editions on NATS and serves them over HTTP."""
