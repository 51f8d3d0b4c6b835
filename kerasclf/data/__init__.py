"""Tables, registry, doctor, splits and pipelines: from files to batches."""
