"""Featurizers (strings to model inputs) and cores (inputs to logits)."""
