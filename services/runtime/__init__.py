"""What every service process needs: HTTP server, NATS client, settings, supervision, outages."""
