"""What to try next with a run, by its own figures; classes are judged on validation rows only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kerasclf.config import TrainConfig
from kerasclf.encoders import find_encoder
from kerasclf.evaluation.targets import TargetResult, parse_target
from kerasclf.run.history import Epoch

RARE, LOW_RECALL = 0.5, 0.1
"""A class is rare below half an equal share of the rows; its recall is low 0.1 below the mean."""
OVERFIT = 1.1
"""Ratio of the last to the lowest validation loss above which a network overfits."""
TRUNCATED, CONFLICTING = 0.05, 0.01
"""Shares of the rows above which truncated texts and conflicting labels are worth a look."""


@dataclass(frozen=True)
class Facts:
    """What advice is derived from.

    Attributes:
        metrics: content of metrics.json.
        config: of the run.
        findings: content of doctor.json.
        history: all epochs; empty for an ensemble.
        recall: on validation rows, by label.
        targets: results of the run's targets.
        is_student: whether the run was trained on the labels of teachers.
    """

    metrics: dict[str, Any]
    config: TrainConfig
    findings: dict[str, Any]
    history: list[Epoch]
    recall: dict[str, float]
    targets: list[TargetResult]
    is_student: bool

    @property
    def is_ensemble(self) -> bool:
        """Whether the run is an ensemble, of which nothing was trained."""
        return self.config.encoder == "ensemble"


def advise(facts: Facts) -> list[str]:
    """Lines of what to try, each with the figures that it follows from."""
    rules = (
        *(_rare_classes, _baseline, _epochs, _overfitting, _latency),
        *(_truncation, _conflicts, _few_test_rows),
    )
    return [line for rule in rules for line in rule(facts)]


def _rare_classes(facts: Facts) -> Iterator[str]:
    counts, config = facts.findings["class_counts"], facts.config
    total, mean = sum(counts.values()), sum(facts.recall.values()) / len(facts.recall)
    behind = {
        label: recall
        for label, recall in facts.recall.items()
        if counts[label] / total < RARE / len(counts) and recall < mean - LOW_RECALL
    }
    if not behind or facts.is_ensemble:
        return
    label = min(behind, key=behind.__getitem__)
    finding = (
        f"validation recall of {label} is {behind[label]:.2f}, the mean of the classes {mean:.2f}, "
        f"and it has {counts[label] / total:.1%} of the rows"
    )
    if config.sampler == "natural" and config.class_weights != "balanced":
        yield (
            f"{finding}; the sampler is natural and class weights are {config.class_weights}: try "
            "--class-weights balanced, or --sampler sqrt --class-weights none"
        )
    else:
        yield (
            f"{finding}, although the sampler is {config.sampler} and class weights are "
            f"{config.class_weights}: label more rows of it"
        )


def _baseline(facts: Facts) -> Iterator[str]:
    gain = facts.metrics["baseline"]["macro_f1_difference"]
    if gain["verdict"] == "better":
        return
    advice = "try kerasclf distill RUN --baseline --out-of-fold 3 --mixtures 100000"
    if facts.is_ensemble:
        advice = "try other members, or label more rows"
    elif facts.is_student:
        advice = "try other teachers, or label more rows"
    elif find_encoder(facts.config.encoder).reads_bytes:
        advice += ", or an --encoder that was pretrained on the language"
    yield (
        f"the run is {gain['difference']:+.4f} macro-F1 from TF-IDF, which is {gain['verdict']} "
        f"({gain['low']:+.4f} to {gain['high']:+.4f}): {advice}"
    )


def _epochs(facts: Facts) -> Iterator[str]:
    epochs = facts.config.epochs
    if len(facts.history) > 1 and facts.metrics["training"]["best_epoch"] == epochs:
        yield f"the best epoch was the last, {epochs}: try --epochs {2 * epochs}"


def _overfitting(facts: Facts) -> Iterator[str]:
    if not facts.history:
        return
    lowest, last = min(facts.history, key=lambda row: row["val_loss"]), facts.history[-1]
    if last["val_loss"] > OVERFIT * lowest["val_loss"] and last["loss"] < lowest["loss"]:
        yield (
            f"validation loss rose from {lowest['val_loss']:.3f} to {last['val_loss']:.3f} while "
            "the training loss fell: try a higher --dropout, --augment keyboard or "
            "--label-smoothing 0.1"
        )


def _latency(facts: Facts) -> Iterator[str]:
    for target in facts.targets:
        if target["target"].startswith("latency") and not target["met"]:
            yield (
                f"{target['target']} is missed with {target['value']:.1f} ms: try kerasclf distill "
                "for a bytes student, or kerasclf tflite"
            )


def _truncation(facts: Facts) -> Iterator[str]:
    share = facts.findings["truncated_texts"] / facts.findings["rows_kept"]
    encoder = find_encoder(facts.config.encoder)
    if encoder.reads_bytes and share > TRUNCATED:
        limit = getattr(facts.config, encoder.max_length)
        option = f"--{encoder.max_length.replace('_', '-')}"
        yield f"{share:.0%} of the texts are cut at {limit} bytes: try {option} {2 * limit}"


def _conflicts(facts: Facts) -> Iterator[str]:
    count = facts.findings["conflicting_texts"]
    if count / facts.findings["rows_kept"] > CONFLICTING:
        yield f"{count} texts have several labels: correct them (kerasclf doctor shows some)"


def _few_test_rows(facts: Facts) -> Iterator[str]:
    measures = facts.metrics["test"]["measures"]
    for target in facts.targets:
        name, _, bound = parse_target(target["target"])
        entry = measures.get(name)
        if entry and entry["low"] < bound < entry["high"]:
            yield (
                f"{target['target']} is within the 95 % interval ({entry['low']:.4f} to "
                f"{entry['high']:.4f}) of {facts.metrics['test']['rows']} test rows: more test "
                "rows would decide it"
            )
