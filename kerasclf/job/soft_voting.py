"""Ensembles: soft voting of finished runs, saved as a run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.console import say_status
from kerasclf.decision.voting import fit_weights
from kerasclf.encoders import ENCODERS
from kerasclf.errors import UserError
from kerasclf.files import save_table, write_json
from kerasclf.job.execute import finish, open_run
from kerasclf.job.job import Job
from kerasclf.job.measure import measure
from kerasclf.job.prepare import prepare_job, same_data
from kerasclf.run.finished import FinishedRun, Predictions, read_predictions
from kerasclf.run.hold import hold
from kerasclf.run.members import write_members
from kerasclf.statistics.bootstrap import compare

Weighting = Literal["equal", "auto"]
"""Equal weights, or the weights with the lowest log loss on validation rows."""


def check_members(members: Sequence[FinishedRun]) -> None:
    """Checks that runs can vote together.

    Raises:
        UserError: their labels or the order of their labels differ.
    """
    first = members[0]
    for member in members:
        if member.metrics["labels"] != first.metrics["labels"]:
            raise UserError(
                f"{first.name} and {member.name} have different labels or label orders; give runs "
                "of the same data with the same --label-order"
            )


def make_ensemble(
    members: Sequence[FinishedRun],
    weighting: Weighting = "equal",
    name: str | None = None,
    output: Path | None = None,
) -> dict[str, Any]:
    """Weights, measures and saves an ensemble of finished runs.

    Args:
        members: at least two runs with the same validation and test rows.
        weighting: how the members are weighted.
        name: name of the ensemble; default: the first member's name with the suffix -ensemble.
        output: folder of all runs; default: the first member's.

    Returns:
        The content of metrics.json, and the folder of the run under "run".

    Raises:
        UserError: the runs cannot vote together; nothing was written.
    """
    check_members(members)
    validation, test = (read_predictions(list(members), split) for split in ("validation", "test"))
    job = _prepare(members[0], name, output)
    weights = _weigh(validation, weighting)
    classifiers = [KerasClassifier.load(member.layout.root) for member in members]
    classifier = KerasClassifier.vote(classifiers, weights.tolist(), job.examples.labels)
    say_status("labelling the validation and test rows")
    metrics, predictions = measure(job, classifier)
    best = max(members, key=lambda member: member.metrics["validation"]["macro_f1"])
    # In the order of `test`, which is by text and label.
    frame = predictions[predictions["split"] == "test"].sort_values(["text", "label"])
    decided = frame["predicted_label"].map(test.labels.index).to_numpy(dtype=np.int64)
    metrics["training"] = {"parameters": classifier.core.count_params()}
    metrics["ensemble"] = {
        "weights": weighting,
        "members": [
            {
                "run": member.name,
                "weight": float(weight),
                "validation_macro_f1": member.metrics["validation"]["macro_f1"],
                "test_macro_f1": member.metrics["test"]["measures"]["macro_f1"]["value"],
            }
            for member, weight in zip(members, weights, strict=True)
        ],
        "best_member": best.name,
        "macro_f1_difference": compare(
            test.class_ids, decided, test.decided[best.name], len(test.labels), job.config.seed
        ),
    }
    layout = open_run(job)
    with hold(layout):
        write_members(layout, [member.layout.root for member in members], weights.tolist())
        classifier.decision.save(layout.decision)
        write_json(layout.labels, list(job.examples.labels))
        save_table(layout.predictions, predictions)
        return finish(job, layout, metrics)


def _prepare(first: FinishedRun, name: str | None, output: Path | None) -> Job:
    """A job on the data and split of the first member."""
    base = TrainConfig.from_yaml(first.layout.config)
    config = same_data(base, name or f"{base.name}-ensemble", first.layout.root, base.seed)
    job = prepare_job(replace(config, output=output or base.output, cost_matrix=base.cost_matrix))
    # Nothing is trained: training options would describe no run.
    unused: dict[str, Any] = dict.fromkeys(ENCODERS["bytes"].defaults)
    job.config = replace(job.config, encoder="ensemble", linear="none", **unused)
    return job


def _weigh(validation: Predictions, weighting: Weighting) -> np.ndarray:
    """Weights of the members, float64 [members], with sum 1."""
    members = list(validation.probabilities.values())
    if weighting == "equal":
        return np.full(len(members), 1 / len(members))
    rows = np.arange(len(validation.class_ids))
    true_class = np.stack([member[rows, validation.class_ids] for member in members])
    return fit_weights(np.maximum(true_class, np.finfo(np.float64).tiny))
