"""Offline augmentation: additional training rows, created once before training."""
