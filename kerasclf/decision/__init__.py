"""From logits to a label: temperature, offsets or costs, review band."""
