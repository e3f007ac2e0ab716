"""The dashboard: pages, charts and CSV files made from a published snapshot."""
