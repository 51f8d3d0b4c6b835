"""Of few rows, an encoder that needs many steps passes over them more often; of many, less."""

from dataclasses import replace

import pytest

from kerasclf.config import TrainConfig
from kerasclf.encoders import ENCODERS
from kerasclf.job.defaults import fit_to_data
from kerasclf.job.kept import train_once


@pytest.mark.parametrize(
    ("frozen", "rows", "epochs", "patience"),
    [
        *[(0, 32, 100, 50), (0, 500, 7, 4), (0, 2000, 4, 2), (0, 3000, 3, 2), (0, 5000, 2, 2)],
        *[(8, 32, 300, 150), (8, 500, 19, 10), (8, 2000, 5, 3), (8, 10_000, 4, 2)],
    ],
)
def test_epochs_by_hand(frozen, rows, epochs, patience):
    # 500 rows are 16 steps, of which 4 epochs have 64; 100 are 1.6 times as many, and 300 4.7.
    # 3,000 rows are 94 steps, of which 3 epochs have the 250 that are enough; 5,000 are 157.
    config = TrainConfig(encoder="some/preset", freeze_layers=frozen).resolved()
    assert (config.epochs, config.patience) == (None, None)
    found = fit_to_data(config, ["a text"] * rows)
    assert (found.epochs, found.patience) == (epochs, patience)


def test_what_is_asked_for_is_kept():
    config = TrainConfig(encoder="some/preset", epochs=2).resolved()
    assert fit_to_data(config, ["a text"] * 500).epochs == 2
    config = fit_to_data(TrainConfig().resolved(), ["a text"] * 500)
    assert (config.epochs, config.patience) == (6, 3)


def test_the_same_training_is_found_again(table, tmp_path, monkeypatch):
    monkeypatch.setitem(ENCODERS, "bytes", replace(ENCODERS["bytes"], least_steps=14))
    config = TrainConfig(
        **{"data": table, "output": tmp_path, "linear": "none", "buckets": 256},
        **{"embedding_dim": 4, "filters": 4},
    )
    trained = train_once(config)
    assert trained["training"]["epochs"] == 7  # 69 rows are 2 steps
    assert train_once(config)["run"] == trained["run"]
    other = train_once(replace(config, epochs=1))
    assert (other["training"]["epochs"], other["run"]) == (1, trained["run"][:-1] + "2")
