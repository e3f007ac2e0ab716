"""The language that Platea's services share; it knows none of them."""
