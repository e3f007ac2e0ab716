"""The gate: what a profile asks of a table, how the table is made to meet it, and the measuring that lets it out."""
