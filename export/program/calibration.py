"""Training texts for recipes that calibrate the ranges of activations."""

from kerasclf.files import load_table
from kerasclf.job.prepare import load_unchanged
from kerasclf.run.layout import RunLayout


def read_training_texts(layout: RunLayout) -> list[str]:
    """Reads the training texts of a run again from their source, in a seeded order.

    Raises:
        UserError: the data cannot be read again, or have changed.
    """
    split = load_table(layout.split)
    texts = load_unchanged(layout).rows["text"][(split["split"] == "train").to_numpy()]
    return texts.sample(frac=1, random_state=0).tolist()
