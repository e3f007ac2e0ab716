"""The gate: rules of a profile before protection, measurement of the table after it. Pure."""
