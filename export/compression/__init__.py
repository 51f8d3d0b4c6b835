"""Pruning, weight clustering and quantization-aware training (QAT) of a finished run."""
