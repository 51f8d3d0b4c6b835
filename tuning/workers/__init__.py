"""The processes of a search: a chief that serves trials, and workers that run them."""
