"""Self-contained folders for devices and browsers."""
