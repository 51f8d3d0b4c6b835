"""How much padding does a training epoch of a pretrained encoder compute?

    python -m benchmarks.padding FOLDER --datasets id-hate smsa

A batch is as long as its longest text. For each data set, positions of an epoch by tokens of its
texts: with batches of rows in random order, of about as many characters, and of about as many
tokens, which is what training uses.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from kerasclf.config import TrainConfig
from kerasclf.data.pipeline import train_dataset
from kerasclf.job.prepare import prepare_job
from kerasclf.models.pretrained import load_pretrained
from kerasclf.models.token_featurizer import TokenFeaturizer


def positions_by_token(config: TrainConfig, featurizer: TokenFeaturizer) -> dict[str, float | str]:
    """A row of the table.

    Args:
        config: names the data set.
        featurizer: strings to tokens.
    """
    job = prepare_job(config)
    texts, class_ids, _ = job.training_rows()
    tokens = featurizer.lengths([text.encode("utf-8") for text in texts])
    orders = {
        "random": None,
        "characters": np.array([len(text) for text in texts]),
        "tokens": tokens,
    }
    row: dict[str, float | str] = {"data": job.config.name}
    for name, lengths in orders.items():
        batches = train_dataset(
            *(texts, class_ids, class_ids, featurizer),
            batch_size=job.config.batch_size,
            sampler="natural",
            seed=0,
            epochs=range(1),
            lengths=lengths,
        )
        positions = sum(int(np.prod(inputs["padding_mask"].shape)) for inputs, _ in batches)
        row[name] = positions / tokens.sum()
    return row


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("encoder", help="a pretrained encoder, as kerasclf train --encoder")
    parser.add_argument("--datasets", nargs="+", default=["id-hate"])
    options = parser.parse_args(argv)
    config = TrainConfig(encoder=options.encoder)
    featurizer, _ = load_pretrained(options.encoder, config.max_tokens)
    rows = [
        positions_by_token(replace(config, dataset=name), featurizer) for name in options.datasets
    ]
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.2f"))


if __name__ == "__main__":
    main()
