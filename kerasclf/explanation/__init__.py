"""Which words made a label."""
