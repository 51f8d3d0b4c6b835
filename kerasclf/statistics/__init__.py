"""Metrics, bootstrap intervals and paired comparisons, from arrays alone."""
