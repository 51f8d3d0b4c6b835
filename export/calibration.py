"""Training texts, for whatever fits the ranges of a smaller number format."""

import pandas as pd

from kerasclf.job.prepare import load_unchanged
from kerasclf.layout import RunLayout


def read_training_texts(layout: RunLayout) -> list[str]:
    """Training texts in a seeded order, read again from where the run had them.

    Raises:
        UserError: the data cannot be read again, or have changed.
    """
    split = pd.read_parquet(layout.split)
    chosen = load_unchanged(layout).rows["text"][(split["split"] == "train").to_numpy()]
    return chosen.sample(frac=1, random_state=0).tolist()
