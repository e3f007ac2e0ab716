"""Intake: takes answers in and makes them durable in the journal; it needs NATS and nothing else."""
