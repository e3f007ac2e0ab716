"""Invitations: codes, tickets, and which tickets are spent."""
