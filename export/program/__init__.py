"""The program of an exported file, from bytes or token ids to a decision, and its checks."""
