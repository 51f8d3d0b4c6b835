"""Exports for NVIDIA GPUs: ONNX files and TF-TRT SavedModels."""
