"""Before training: reads, examines and splits the data, and checks every file of the user."""

import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.augmentation.new_rows import augment_rows
from kerasclf.config import DATA, TrainConfig
from kerasclf.console import status_if_slow
from kerasclf.data.corrections import correct_labels, describe_corrections
from kerasclf.data.duplicates import group_texts
from kerasclf.data.examples import Examples, load_examples
from kerasclf.data.findings import examine
from kerasclf.data.left_out import describe_splits
from kerasclf.data.registry import DATA_SETS
from kerasclf.data.splits import split_examples
from kerasclf.data.templates import find_templates, merge_groups
from kerasclf.data.width import describe_truncation, warn_of_truncation
from kerasclf.encoders import find_encoder
from kerasclf.errors import UserError
from kerasclf.evaluation.provenance import examine_sources
from kerasclf.evaluation.targets import parse_target
from kerasclf.files import check_writable, load_record, load_table
from kerasclf.job.defaults import fit_to_data
from kerasclf.job.job import Job
from kerasclf.run.layout import RunLayout


def prepare_job(config: TrainConfig) -> Job:
    """Reads, examines and splits the data, and checks every file that will be needed later.

    Raises:
        UserError: an option or a file is wrong; nothing was written.
    """
    config.check()
    config = config.resolved()
    if config.dataset in DATA_SETS and not config.target:
        config = replace(config, target=DATA_SETS[config.dataset].targets)
    for target in config.target:
        parse_target(target)
    check_writable(config.output / config.name / "new")
    start = time.perf_counter()
    locked = None if config.split is None else load_table(RunLayout.open(config.split).split)
    examples, groups, findings = examine_data(config)
    is_measured = None
    if config.measure_on:
        is_measured = examples.rows["source"].isin(config.measure_on).to_numpy()
    split = split_examples(
        examples,
        groups,
        config.validation_share,
        config.test_share,
        config.seed,
        locked,
        is_measured,
    )
    if config.split is not None:
        _check_order(examples, RunLayout.open(config.split), config)
    examples = correct(config, examples, split, findings)
    job = Job(config, examples, findings, split)
    job.config = config = fit_to_data(config, job.texts_and_class_ids("train")[0])
    add_truncation(findings, examples, config)
    findings["warnings"] += describe_splits(examples, split, job.left_out())
    job.check_files()
    job.seconds["data"] = round(time.perf_counter() - start, 3)
    if config.recipes:
        with job.phase("augment"):
            job.augmented = _augment(job)
    return job


def _check_order(examples: Examples, run: RunLayout, config: TrainConfig) -> None:
    """Checks that class ids mean the same as in a run; version 0.1 sorted numbers as text.

    Raises:
        UserError: they do not.
    """
    labels = run.read_labels() if run.labels.is_file() else examples.labels
    is_same = labels == examples.labels or set(labels) != set(examples.labels)
    if not is_same and not config.label_order:
        raise UserError(
            f"{run.root} has the labels in the order {', '.join(labels[:10])}, and this version in "
            f"the order {', '.join(examples.labels[:10])}; train that run again"
        )


def _augment(job: Job) -> pd.DataFrame:
    """The augmented rows, preceded by row and label of their source."""
    augmented = augment_rows(job.config, *job.texts_and_class_ids("train"), job.measured_texts())
    sources = job.rows("train")[["row", "label"]].iloc[augmented["source"]]
    return pd.concat([sources.reset_index(drop=True), augmented], axis="columns")


def examine_data(config: TrainConfig) -> tuple[Examples, np.ndarray, dict[str, Any]]:
    """Reads and examines the data.

    Returns:
        The cleaned rows; int64 [n], the group of each, which must not straddle splits; and the
        findings.

    Raises:
        UserError: the data cannot be read, or nothing can be learned from it.
    """
    with status_if_slow(f"reading {config.dataset if config.data is None else config.data}"):
        examples = load_examples(config)
    texts = examples.rows["text"].tolist()
    with status_if_slow(f"looking for near-duplicates among {len(texts):,} rows"):
        near, templates = group_texts(texts), find_templates(texts)
    examples = replace(examples, rows=examples.rows.assign(near=near))
    findings = examine(examples, near, templates, config.test_share)
    mates = np.flatnonzero(examples.rows["group"] != "")
    groups = merge_groups(near, (mates, pd.factorize(examples.rows["group"].iloc[mates])[0]))
    if config.source_column:
        findings["sources"] = examine_sources(examples.rows, groups, config.seed)
    if config.group_templates:
        groups = merge_groups(groups, (np.arange(len(groups)), templates))
    return examples, groups, findings


def correct(
    config: TrainConfig, examples: Examples, split: pd.DataFrame, findings: dict[str, Any]
) -> Examples:
    """The rows with the corrections of a configuration, which are recorded in the findings.

    Raises:
        UserError: the corrections are not of these rows, or of a resumed run have changed.
    """
    if config.corrections is None:
        return examples
    corrected, described = correct_labels(examples, split, config.corrections, config.correct_test)
    before = findings.get("corrections")
    if before is None:
        findings["corrections"] = described
        findings["warnings"].append(describe_corrections(described))
    elif before["sha256"] != described["sha256"]:
        raise UserError(f"{config.corrections} has changed since the run was started")
    return corrected


def add_truncation(findings: dict[str, Any], examples: Examples, config: TrainConfig) -> None:
    """Adds to the findings how many texts are cut, if their bytes are read."""
    reads_bytes = find_encoder(config.encoder).max_length == "max_bytes"
    max_bytes = config.max_bytes if reads_bytes else None
    findings |= describe_truncation(examples.rows["text"].tolist(), max_bytes)
    findings["warnings"] += warn_of_truncation(findings)


def same_data(base: TrainConfig, name: str, split: Path, seed: int) -> TrainConfig:
    """The default configuration on the data and split of a run.

    Args:
        base: configuration of the run.
        name: name of the new run.
        split: folder of the run.
        seed: seed of the new run.
    """
    data = [option.name for option in fields(TrainConfig) if option.metadata.get("needs") == DATA]
    shared = (
        *("dataset", "data", "min_class_rows", "group_templates", "validation_share"),
        *("test_share", "output", "target", "review_below", "corrections", "correct_test"),
    )
    values = {key: getattr(base, key) for key in (*data, *shared)}
    return replace(TrainConfig(), **values, split=split, name=name, seed=seed)


def load_unchanged(layout: RunLayout) -> Examples:
    """Reads the rows of a run again from their source.

    Raises:
        UserError: they cannot be read, or have changed.
    """
    examples = load_examples(TrainConfig.from_yaml(layout.config))
    if examples.digest() != load_record(layout.doctor)["sha256"]:
        raise UserError(f"the data has changed since {layout.root} was started; start a new run")
    return examples


def resume_job(run: Path) -> Job:
    """Prepares to resume an interrupted run.

    Raises:
        UserError: there is no such run, or its data has changed.
    """
    layout = RunLayout.reopen(run)
    config = TrainConfig.from_yaml(layout.config)
    start = time.perf_counter()
    examples, findings = load_unchanged(layout), load_record(layout.doctor)
    split = load_table(layout.split)
    examples = correct(config, examples, split, findings)
    # Not created again: a lexicon or the cache may have changed since.
    augmented = load_table(layout.augmented) if config.recipes else None
    job = Job(config, examples, findings, split, augmented, layout)
    job.check_files()
    job.seconds["data"] = round(time.perf_counter() - start, 3)
    return job
