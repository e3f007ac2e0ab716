"""What the services share towards HTTP."""
