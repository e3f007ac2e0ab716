"""Analysis: records each response once, keeps the figures of every survey up to date, publishes them."""
