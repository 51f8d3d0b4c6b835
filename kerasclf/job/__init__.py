"""The main job: prepare what is known before training, then train, measure and write."""
