"""Versioned SavedModels for TensorFlow Serving."""
