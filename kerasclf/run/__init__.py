"""A run on disk: its files, its state and its figures, without TensorFlow."""
