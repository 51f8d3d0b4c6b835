"""The compression ladder: the cheapest export within a budget."""
