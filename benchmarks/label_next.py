"""Are rows that `kerasclf label-next` chooses worth more than rows at random?

    python -m benchmarks.label_next --datasets id-hate smsa --seeds 0

A linear part is trained on 500 rows; 250 more are chosen and their labels revealed, until there are
2,000. Macro-F1 is that of the test rows; the area is the mean over the steps.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from kerasclf.config import TrainConfig
from kerasclf.job.folds import Rows
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from kerasclf.job.train_rows import make_trainer
from kerasclf.reviewing.selection import select_rows

FIRST, STEP, LAST = 500, 250, 2000


def learn(job: Job, strategy: str, seed: int) -> list[float]:
    """Macro-F1 on test rows at each step."""
    texts, class_ids = job.texts_and_class_ids("train")
    tested, true = job.texts_and_class_ids("test")
    num_classes, random = len(job.examples.labels), np.random.default_rng(seed)
    train, rows = make_trainer(job.config, job), Rows(texts, class_ids)
    # The first row of each class is labelled, so that each class has one.
    order = random.permutation(len(texts))
    first = order[np.unique(class_ids[order], return_index=True)[1]]
    known = np.concatenate([first, order[~np.isin(order, first)]])[:FIRST]
    scores = []
    while True:
        predict = train(rows.take(known))
        predicted = predict(tested).argmax(axis=1)
        scores.append(float(f1_score(true, predicted, average="macro")))
        if len(known) >= LAST:
            return scores
        left = np.setdiff1d(np.arange(len(texts)), known)
        if strategy == "at random":
            chosen = random.permutation(len(left))[:STEP]
        else:
            unknown = [texts[i] for i in left]
            shares = np.bincount(class_ids[known], minlength=num_classes) / len(known)
            chosen = select_rows(unknown, np.exp(predict(unknown)), shares, STEP, seed)
        known = np.append(known, left[chosen])


def main() -> None:
    """Prints the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=["smsa"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    results = []
    for dataset in options.datasets:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                config = TrainConfig(dataset=dataset, output=Path(folder), seed=seed)
                job = prepare_job(config)
                job.config = job.config.without_network()
                for strategy in ("at random", "label-next"):
                    scores = learn(job, strategy, seed)
                    row = {"data": dataset, "seed": seed, "rows": strategy}
                    figures = {"first": scores[0], "last": scores[-1], "area": np.mean(scores)}
                    results.append(row | figures)
                    print(pd.DataFrame(results[-1:]).to_string(index=False), flush=True)
    print(pd.DataFrame(results).to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
