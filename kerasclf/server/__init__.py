"""A server of finished runs over HTTP, without TensorFlow where a run allows it."""
