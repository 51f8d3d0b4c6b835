import pytest

from benchmarks.quality import UNUSED, cut, main
from kerasclf.config import TrainConfig


@pytest.mark.parametrize("encoder", ["bytes", "hf://intfloat/multilingual-e5-small"])
def test_a_data_set_is_cut_to_a_stratified_sample_that_is_trained_as_a_small_table(
    encoder, tmp_path
):
    config = TrainConfig(encoder=encoder, output=tmp_path)
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
