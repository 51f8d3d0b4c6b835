import pytest
from conftest import fails
from searches import SPACES

from kerasclf.config import TrainConfig
from tuning.search import main as search_main
from tuning.space import read_space


def test_transformer72_has_exactly_72_distinct_trials():
    space = read_space(SPACES / "transformer72.yaml")
    configs = {TrainConfig(**chosen).to_yaml() for chosen in space.combinations()}
    assert space.size == len(configs) == 72
    assert space.choices["learning_rate"] == [1e-5, 2e-5, 3e-5, 5e-5]


@pytest.mark.parametrize("path", sorted(SPACES.iterdir()), ids=lambda path: path.name)
def test_stored_spaces_hold_valid_options(path):
    read_space(path).check(TrainConfig())


BAD_SEARCHES = {
    "typo": ("learnin_rate: [0.1]", [], "has 'learnin_rate'; perhaps you meant learning_rate"),
    "field of the job": ("seed: [1, 2]", [], "'seed', which is the same for all trials"),
    "no list": ("epochs: 3", [], "has epochs: 3; expected a list"),
    "wrong type": ("learning_rate: [1e-5]", [], "'1e-5'; expected float"),
    "null": ("dropout: [null, 0.1]", [], "dropout: null"),
    "twice": ("epochs: [3, 3]", [], "a value of epochs twice"),
    "out of range": ("dropout: [0.1, 3.0]", [], "--dropout is 3.0; expected 0.0 to 0.95"),
    "unknown weights": ("class_weights: [heavy]", [], "--class-weights is 'heavy'"),
    "no YAML": ("a: [", [], "is not YAML"),
    "empty": ("", [], "holds NoneType; expected lines such as"),
    "no trials": ("epochs: [1, 2]", ["--trials=0"], "--trials is 0; expected at least 1"),
    "trials not given": ("epochs: [1, 2]", [], "--algorithm random needs --trials N"),
    "no workers": ("epochs: [1, 2]", ["--workers=0"], "--workers is 0"),
    "no latency": ("epochs: [1, 2]", ["--max-latency=0"], "--max-latency is 0.0; expected over 0"),
    "two on epochs": (
        "epochs: [1, 2]",
        ["--algorithm=hyperband", "--trials=3"],
        "has epochs, which hyperband chooses",
    ),
    "no address": ("epochs: [1, 2]", ["--trials=1", "--chief=here"], "expected HOST:PORT"),
    "no data": ("epochs: [1]", ["--trials=1", "--text-column=t"], "no column 't'"),
    "no export": (
        "encoder: [bytes, bert_tiny_en_uncased]",
        ["--trials=1", "--max-size=1000"],
        "need --encoder bytes",
    ),
}


@pytest.mark.parametrize("case", BAD_SEARCHES)
def test_bad_search_input(case, table, tmp_path, capsys):
    content, options, message = BAD_SEARCHES[case]
    path = tmp_path / "space.yaml"
    path.write_text(content)
    if case == "unknown weights":
        options = ["--trials=1"]
    arguments = [f"--data={table}", f"--space={path}", f"--output={tmp_path}/runs", *options]
    fails(capsys, search_main(arguments), message)
    assert [entry.name for entry in tmp_path.iterdir()] == ["space.yaml"]


@pytest.mark.parametrize("path", ["none.yaml", "."])
def test_unreadable_space(path, table, tmp_path, capsys):
    arguments = [f"--data={table}", f"--space={tmp_path / path}", f"--output={tmp_path}/runs"]
    fails(capsys, search_main(arguments), "there is no --space")
    assert list(tmp_path.iterdir()) == []
