"""New training rows, made of old ones once and before training."""
