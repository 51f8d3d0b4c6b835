import json

import pandas as pd
import pytest
from matplotlib.image import imread

from benchmarks import small_data
from benchmarks.pooling import main as pooling
from benchmarks.pooling import pool_differences
from benchmarks.quality import UNUSED, cut, main
from benchmarks.teachers import main as teachers
from kerasclf.config import TrainConfig
from kerasclf.files import save_table


@pytest.mark.parametrize("encoder", ["bytes", "hf://intfloat/multilingual-e5-small"])
def test_a_data_set_is_cut_to_a_stratified_sample_that_is_trained_as_a_small_table(
    encoder, tmp_path
):
    frozen = 0 if encoder == "bytes" else 8
    config = TrainConfig(encoder=encoder, freeze_layers=frozen, output=tmp_path)
    job = cut(config, "1500")
    assert job.split["split"].value_counts()["train"] == 1500
    assert (job.split["split"] == UNUSED).sum() > 500
    everything = cut(config, "all")
    share, of_all = (
        made.examples.class_ids[(made.split["split"] == "train").to_numpy()].value_counts(
            normalize=True
        )
        for made in (job, everything)
    )
    assert (share - of_all).abs().max() < 1 / 1500
    # 47 batches: 7 epochs are the first multiple that has 300.
    assert job.config.epochs == (TrainConfig().resolved().epochs if encoder == "bytes" else 7)
    assert job.config.patience
    assert cut(config, "10000000") is None
    whole = cut(config, "10000000", or_all=True)
    assert whole.split.equals(everything.split)


def test_the_table_has_a_line_for_each_data_set_and_size(tmp_path, capsys):
    arguments = ["--sizes=300", "--seeds=0", "--models=linear", f"--output={tmp_path}"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| chat-language | 300 | linear | 0.")
    assert (tmp_path / "chat-language-300-linear-0" / "1" / "metrics.json").is_file()


def test_options_are_compared_on_validation_rows(tmp_path, capsys):
    arguments = ["bytes", "--datasets", "chat-language", "--size=300", f"--output={tmp_path}"]
    options = ["{filters: 4}", "{filters: 4, epochs: 1}", "{filters: 4}"]
    assert teachers([*arguments, "--options", *options]) == 0
    first, other, again = capsys.readouterr().out.splitlines()[-3:]
    assert "+0.0000 (+0.0000 to +0.0000)" in first
    assert again == first != other
    assert {path.name for path in (tmp_path / "chat-language-300-0").iterdir()} == {"1", "2"}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("epochs", "expected mappings such as '{epochs: 3}'"),
        ("{epochs: ", "expected mappings such as '{epochs: 3}'"),
        ("{epoch: 3}", "did you mean 'epochs'?"),
        ("{epochs: many}", "expected int"),
    ],
)
def test_options_that_are_no_training_options_are_refused(tmp_path, capsys, mapping, message):
    assert teachers(["bytes", f"--output={tmp_path}", "--options", mapping]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_differences_are_pooled_over_runs(tmp_path):
    def write(name, predicted):
        frame = pd.DataFrame(
            {
                "split": ["test"] * 4 + ["validation"],
                "row": [0, 1, 2, 3, 4],
                "label": ["a", "a", "b", "b", "a"],
                "predicted_label": [*predicted, "b"],
                "baseline_label": ["a", "a", "a", "a", None],
            }
        )
        (tmp_path / name).mkdir()
        save_table(tmp_path / name / "predictions.parquet", frame.sample(frac=1, random_state=0))
        return {"run": str(tmp_path / name), "labels": ["a", "b"]}

    right, wrong = write("right", "aabb"), write("wrong", "bbaa")
    # The baseline has F1 4/6 and 0.
    assert pool_differences([right])["difference"] == pytest.approx(1 - 1 / 3)
    assert pool_differences([right, wrong])["difference"] == pytest.approx((1 - 1 / 3 - 1 / 3) / 2)
    assert pool_differences([right], [wrong]) == {"difference": 1.0, "low": 1.0, "high": 1.0}
    assert pool_differences([right, wrong], [right, wrong])["high"] == 0


@pytest.mark.slow
def test_small_data_measures_each_model_and_draws_them(tmp_path, capsys):
    plot = tmp_path / "plot.png"
    arguments = ["--datasets=chat-language", "--sizes=500", f"--plot={plot}"]
    assert small_data.main([*arguments, f"--output={tmp_path / 'runs'}", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    models = ["linear part alone", "default", "student without the pile", "student"]
    assert [row["model"] for row in results] == models
    assert results[-1]["student_over"]["difference"] == 0
    assert all(row["bytes"] and row["p50_ms"] for row in results)
    assert min(imread(plot).shape[:2]) > 300


def test_means_and_the_pooled_difference_are_printed(run, joined_run, capsys):
    assert pooling([str(run), str(joined_run)]) == 0
    printed = capsys.readouterr().out.splitlines()
    runs = (run, joined_run)
    metrics = [{"run": r, **json.loads((r / "metrics.json").read_text())} for r in runs]
    both = [entry["test"]["measures"]["macro_f1"]["value"] for entry in metrics]
    assert printed[1] == f"macro-F1, test rows:       {sum(both) / 2:.4f}"
    assert f"{pool_differences(metrics)['difference']:+.4f} (" in printed[2]
    assert pooling([str(run)]) == 2
    assert "expected at least two" in capsys.readouterr().err
