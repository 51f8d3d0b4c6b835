"""Metrics, intervals, baseline, latency and targets."""
