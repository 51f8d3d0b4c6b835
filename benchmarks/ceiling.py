"""How good can a model look on test rows whose labels are partly wrong?

    python -m benchmarks.ceiling runs/id-hate

Labels are judged by TF-IDF and logistic regression: training rows out of fold, test rows by the
model of all training rows. Wrong labels are counted by confident learning (Northcutt, Jiang and
Chuang, 2021), with cleanlab (the extra `benchmarks`). The second table has the figures of the run
on its test rows without those that are doubted most. These rows are also the hardest ones, so that
the figures on the others are too high for clean labels: they are an upper bound of the ceiling.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score

from kerasclf.files import load_table
from kerasclf.job.folds import Rows
from kerasclf.reviewing.quality import (
    FOLDS,
    fit_regression,
    label_quality,
    predict_unseen,
    prepare_review,
)
from kerasclf.run.layout import RunLayout

SHARES = (0.05, 0.1)
"""Of the test rows, doubted most."""


def main() -> None:
    """Prints both tables."""
    from cleanlab.filter import find_label_issues

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    layout = RunLayout.open(parser.parse_args().run)
    job = prepare_review(layout, FOLDS)
    texts, class_ids = job.texts_and_class_ids("train")
    tested, true = job.texts_and_class_ids("test")
    predict = fit_regression(Rows(texts, class_ids), len(job.examples.labels))
    judged = {
        "train": (class_ids, predict_unseen(job)[0]),
        "test": (true, np.exp(predict(tested))),
    }
    counts, wrong = [], np.zeros(len(true), dtype=bool)
    for split, (given, probabilities) in judged.items():
        whole = probabilities / probabilities.sum(axis=1, keepdims=True)
        wrong = find_label_issues(given, whole)
        suspects = int((probabilities.argmax(axis=1) != given).sum())
        counts.append(
            {
                "rows of": split,
                "rows": len(given),
                "suspects": suspects,
                "counted as wrong": int(wrong.sum()),
                "share": wrong.mean(),
            }
        )
    print(pd.DataFrame(counts).to_string(index=False, float_format="%.3f"), end="\n\n")

    predictions = load_table(layout.predictions, [("split", "==", "test")]).set_index("text")
    decided = predictions["predicted_label"].reindex(tested).to_numpy()
    labels = np.array(job.examples.labels, dtype=object)[true]
    order = np.argsort(label_quality(judged["test"][1], true), kind="stable")
    left_out = {"none": np.zeros(len(true), dtype=bool), "counted as wrong": wrong}
    for share in SHARES:
        worst = np.zeros(len(true), dtype=bool)
        worst[order[: round(share * len(true))]] = True
        left_out[f"{share:.0%} doubted most"] = worst
    rows = [
        {
            "test rows left out": name,
            "rows": int((~out).sum()),
            "accuracy": accuracy_score(labels[~out], decided[~out]),
            "macro-F1": f1_score(labels[~out], decided[~out], average="macro"),
        }
        for name, out in left_out.items()
    ]
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
