"""What of a survey's exact counts is published, when, and with how much noise. Pure: the publisher drives it, and so do the attacks."""
