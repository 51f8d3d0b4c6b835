"""Hyper-parameter search over kerasclf runs and their exported files."""
