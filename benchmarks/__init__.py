"""Benchmarks that take minutes: commands that print tables, run from a checkout."""
