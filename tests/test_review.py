"""The review desk: planted wrong labels are found, corrected on the page, and trained with."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from chromium import chromium, find_chromium

import kerasclf
from kerasclf import cli
from kerasclf.config import TrainConfig
from kerasclf.data.corrections import correct_labels
from kerasclf.data.safe_csv import write_safe_csv
from kerasclf.data.splits import hash_text
from kerasclf.errors import UserError
from kerasclf.files import load_record, load_table
from kerasclf.job.prepare import prepare_job
from kerasclf.reviewing.folder import to_script
from kerasclf.reviewing.quality import label_quality
from kerasclf.reviewing.selection import label_next, rarity, select_rows, uncertainty
from kerasclf.reviewing.thresholds import measure_thresholds

OPTIONS = {"encoder": "linear", "max_bytes": 48, "linear_terms": 512}
HOSTILE = "</script><img src=x onerror=alert(1)> =1+1 \u202e abc"


@pytest.fixture(scope="module")
def planted(table, tmp_path_factory):
    """A table with six wrong labels, and the texts that have them."""
    rows = pd.read_csv(table)
    wrong = rows.index[::15][:6]
    other = {"id": "en", "en": "de", "de": "id"}
    rows.loc[wrong, "label"] = rows.loc[wrong, "label"].map(other)
    path = tmp_path_factory.mktemp("planted") / "planted.csv"
    rows.to_csv(path, index=False)
    return path, rows.loc[wrong, "text"].tolist()


@pytest.fixture(scope="module")
def reviewed(planted, tmp_path_factory):
    """A run on these rows, and its suspects."""
    folder = tmp_path_factory.mktemp("reviewed")
    classifier = kerasclf.train(planted[0], output=folder, **OPTIONS)
    arguments = [str(classifier.run), f"--output={folder}/suspects.jsonl", "--folds=3"]
    assert cli.main(["suspects", *arguments]) == 0
    return classifier, pd.read_json(folder / "suspects.jsonl", lines=True)


def test_label_quality_by_hand():
    probabilities = np.array([[0.7, 0.25, 0.05], [0.01, 0.35, 0.64], [0.0, 1.0, 0.0]])
    quality = [0.7 / 1.2, 0.35 / 1.15, 0.0]
    np.testing.assert_allclose(label_quality(probabilities, np.array([0, 1, 0])), quality)
    # Against one other label, a probability of 0.3 is more doubtful than against two.
    two, three = label_quality(np.array([[0.3, 0.7, 0.0], [0.3, 0.35, 0.35]]), np.array([0, 0]))
    assert two < three


def test_planted_labels_are_the_first_suspects(reviewed, planted):
    _, suspects = reviewed
    assert suspects["label_quality"].is_monotonic_increasing
    learned = suspects[suspects["split"] != "test"]
    there = set(planted[1]) & set(learned["text"])
    assert len(there) >= 3
    assert there <= set(learned["text"][: 2 * len(there)])
    first = learned[learned["text"].isin(there)].iloc[0]
    table = planted[0].read_text().splitlines()
    assert first["text"] in table[first["line"] - 1]
    assert first["file"] == planted[0].name


def corrections_of(suspects, **changed):
    rows = suspects.assign(old=suspects["label"], new=suspects["suggested_label"])
    return rows[["row", "text_hash", "old", "new"]].assign(**changed)


def test_corrections_change_labels_and_not_the_split(reviewed, tmp_path):
    classifier, suspects = reviewed
    learned = suspects[suspects["split"] == "train"].head(3)
    tested = suspects[suspects["split"] == "test"].head(1)
    tested = tested.assign(suggested_label="de" if tested["label"].item() != "de" else "en")
    path = tmp_path / "corrections.csv"
    corrections_of(pd.concat([learned, tested])).to_csv(path, index=False)
    config = TrainConfig.from_yaml(classifier.layout.config)
    before = prepare_job(config)
    for correct_test in (False, True):
        job = prepare_job(
            TrainConfig(**vars(config) | {"corrections": path} | {"correct_test": correct_test})
        )
        pd.testing.assert_frame_equal(job.split, before.split)
        changed = job.examples.rows["label"] != before.examples.rows["label"]
        expected = {*learned["row"], *(tested["row"] if correct_test else ())}
        assert set(job.examples.rows["row"][changed]) == expected
        described = job.findings["corrections"]
        assert described["applied"]["train"] == 3
        assert described["left"] == (0 if correct_test else 1)
        assert any("labels corrected by corrections.csv: 3 of train" in w for w in job.warnings())


BAD = {
    "another row": ({"row": 9999}, "is of row 9999, which planted does not have"),
    "another text": ({"text_hash": hash_text("x")}, "is of another text than row"),
    "another label": ({"old": "fr"}, "says that row .* has the label 'fr'"),
    "an unknown label": ({"new": "fr"}, "has the new label 'fr'; expected one of de, en, id"),
}


@pytest.mark.parametrize("case", BAD)
def test_corrections_of_other_rows_are_refused(case, reviewed, planted, tmp_path, capsys):
    changed, message = BAD[case]
    path = tmp_path / "corrections.csv"
    corrections_of(reviewed[1].head(1), **changed).to_csv(path, index=False)
    options = [f"--data={planted[0]}", f"--corrections={path}", f"--output={tmp_path}/runs"]
    assert cli.main(["train", *options]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.search(message, error), error
    assert not (tmp_path / "runs").exists()


def test_a_table_that_holds_no_corrections_is_refused(reviewed, planted, tmp_path):
    job = prepare_job(TrainConfig.from_yaml(reviewed[0].layout.config))
    with pytest.raises(UserError, match="has no column 'row'; expected corrections"):
        correct_labels(job.examples, job.split, planted[0])
    path = tmp_path / "twice.csv"
    corrections_of(pd.concat([reviewed[1].head(1)] * 2)).to_csv(path, index=False)
    with pytest.raises(UserError, match="is the second one of row"):
        correct_labels(job.examples, job.split, path)


def test_thresholds_by_hand():
    rows = pd.DataFrame(
        {
            "label": ["a", "a", "b", "b"],
            "predicted_label": ["a", "b", "b", "b"],
            "confidence": [0.9, 0.5, 0.8, 0.7],
        }
    )
    steps = measure_thresholds(rows, ["a", "b"])
    assert steps[0]["below"] == 0
    assert steps[0]["load"] == 0
    assert steps[0]["accuracy"][0] == 0.75
    assert steps[0]["recall"]["a"][0] == 0.5
    above = next(step for step in steps if step["below"] > 0.5)
    assert above["load"] == 0.25
    assert above["accuracy"][0] == 1
    low, high = above["accuracy"][1:]
    assert 0 < low < high == 1


def test_uncertain_and_rare_rows_come_first():
    sure, unsure, rare = [0.98, 0.01, 0.01], [0.34, 0.33, 0.33], [0.1, 0.1, 0.8]
    probabilities = np.array([sure, unsure, rare])
    assert uncertainty(probabilities).argmax() == 1
    assert rarity(probabilities, np.array([0.8, 0.15, 0.05])).argmax() == 2
    np.testing.assert_allclose(uncertainty(np.full((1, 4), 0.25)), 1)


def test_batches_hold_each_text_once_and_no_two_alike_while_others_are_left():
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcdefgh"), 6)) for _ in range(40)]
    texts = [f"{word} {word}" for word in words for _ in range(3)]
    probabilities = random.dirichlet([1, 1], len(texts))
    chosen = select_rows(texts, np.full((len(texts), 2), 0.5), np.array([0.5, 0.5]), 10)
    assert len(set(chosen)) == 10
    assert len({texts[i] for i in chosen}) >= 8
    frame = label_next(texts, probabilities, ["x", "y"], np.array([0.9, 0.1]), 25, 10)
    assert frame["batch"].tolist() == [1] * 10 + [2] * 10 + [3] * 5
    assert frame["row"].is_unique
    assert [texts[i] for i in frame["row"]] == frame["text"].tolist()


def test_spreadsheets_run_no_cell(tmp_path):
    frame = pd.DataFrame({"text": ["=1+1", "@x", "-A1", "-3"], "n": [1.5, -2, 3, 4]})
    write_safe_csv(tmp_path / "x.csv", frame)
    read = pd.read_csv(tmp_path / "x.csv")
    assert read["text"].tolist() == ["'=1+1", "'@x", "'-A1", "-3"]
    assert read["n"].tolist() == [1.5, -2, 3, 4]


def test_no_text_ends_the_script():
    written = to_script({"a": [HOSTILE, "\u2028"]})
    assert "<" not in written
    assert json.loads(written) == {"a": [HOSTILE, "\u2028"]}


def test_label_next_command(reviewed, tmp_path, capsys):
    texts = [f"selamat {word} semua" for word in ("pagi", "sore", "malam", "siang")]
    pd.DataFrame({"post": [*texts, "", texts[0]]}).to_csv(tmp_path / "more.csv", index=False)
    arguments = ["label-next", str(reviewed[0].run), f"--unlabelled={tmp_path}/more.csv"]
    output = f"--output={tmp_path}/next.csv"
    assert cli.main([*arguments, "--text-column=post", "--count=3", "--batch=2", output]) == 0
    assert "3 of 4 texts" in capsys.readouterr().out
    frame = pd.read_csv(tmp_path / "next.csv")
    assert frame["batch"].tolist() == [1, 1, 2]
    assert cli.main([*arguments, "--count=0", output]) == 2
    assert "--count is 0; expected at least 1" in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_in_a_browser(reviewed, planted, tmp_path):
    program = find_chromium()
    classifier, _ = reviewed
    pd.DataFrame({"text": [HOSTILE, "good evening", "guten Abend"]}).to_csv(tmp_path / "more.csv")
    output = tmp_path / "desk"
    arguments = [str(classifier.run), f"--output={output}", "--folds=3"]
    assert cli.main(["review", *arguments, f"--unlabelled={tmp_path}/more.csv"]) == 0
    assert {path.name for path in output.iterdir()} == {
        *("index.html", "suspects.csv", "errors.csv", "label_next.csv"),
    }
    with chromium(program, tmp_path / "profile") as page:
        page.emulate("dark", 390, 800)
        page.open((output / "index.html").as_uri())
        shown = "document.querySelectorAll('#suspects .card').length"
        assert page.evaluate(shown) >= 3
        wide = "document.documentElement.scrollWidth <= window.innerWidth"
        assert page.evaluate(wide)
        # Three labels are changed to the suggested one, two by the mouse and one by the keyboard.
        click = "document.querySelectorAll('#suspects .card')[{}].querySelector('.main').click()"
        for number in (0, 1):
            page.evaluate(click.format(number))
        press = "document.dispatchEvent(new KeyboardEvent('keydown', {{key: '{}'}}))"
        page.evaluate(press.format("j"))
        key = "String(data.labels.indexOf(current.row.suggested_label) + 1)"
        page.evaluate(f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: {key}}}))")
        assert page.evaluate("document.getElementById('count').textContent") == "3"
        page.open((output / "index.html").as_uri())
        exported = page.evaluate("corrections()")
        page.evaluate("document.querySelector('[data-view=next]').click()")
        assert HOSTILE in page.evaluate("document.querySelector('#next .list').innerText")
        assert page.evaluate("document.querySelectorAll('img').length") == 0
        page.evaluate("document.querySelector('[data-view=threshold]').click()")
        assert page.evaluate("document.getElementById('option').textContent") == (
            "--review-below 0.000"
        )
    path = tmp_path / "corrections.csv"
    path.write_text(exported, encoding="utf-8")
    again = kerasclf.train(planted[0], output=tmp_path / "runs", corrections=path, **OPTIONS)
    found = load_record(again.layout.doctor)["corrections"]
    assert sum(found["applied"].values()) == 3
    assert "labels corrected by corrections.csv" in again.layout.report.read_text(encoding="utf-8")
    assert "labels corrected by corrections.csv" in again.layout.model_card.read_text()
    before, after = (load_table(c.layout.split) for c in (classifier, again))
    pd.testing.assert_frame_equal(before, after)


def annotate(tasks, tool, answer):
    """What people make of tasks in a tool: the same answer to all of them."""
    for task in tasks:
        if tool == "label-studio":
            (result,) = task["predictions"][0]["result"]
            result = result | {"value": {"choices": [answer]}}
            skipped = {"result": [], "was_cancelled": True, "completed_by": 2}
            done = {"result": [result], "was_cancelled": False, "completed_by": 1}
            task["annotations"] = [done | {"created_at": "2026-01-01T00:00:00Z"}, skipped]
        else:
            task["responses"] = {"label": [{"value": answer, "user_id": "u"}]}
    return tasks


@pytest.mark.parametrize("tool", ["label-studio", "argilla"])
def test_annotations_of_other_tools_are_corrections(tool, reviewed, tmp_path):
    classifier, suspects = reviewed
    path = tmp_path / "tasks.json"
    arguments = [str(classifier.run), f"--to={tool}", f"--output={path}", "--folds=3"]
    assert cli.main(["suspects", *arguments]) == 0
    tasks = json.loads(path.read_text(encoding="utf-8"))
    assert len(tasks) == (suspects["label"] != suspects["suggested_label"]).sum()
    path.write_text(json.dumps(annotate(tasks, tool, "de")), encoding="utf-8")
    job = prepare_job(TrainConfig.from_yaml(classifier.layout.config))
    corrected, _ = correct_labels(job.examples, job.split, path, correct_test=True)
    places = [task.get("data", task.get("metadata"))["row"] for task in tasks]
    rows = corrected.rows.set_index("row").loc[places]
    assert set(rows["label"]) == {"de"}
    broken = [{"data": {"text": "a"}, "annotations": tasks[0].get("annotations", [])}]
    if tool == "label-studio":
        path.write_text(json.dumps(broken), encoding="utf-8")
        with pytest.raises(UserError, match="entry 1 has no 'row'; expected what Label Studio"):
            correct_labels(job.examples, job.split, path)


def test_a_list_needs_the_right_suffix(reviewed, capsys):
    for options, expected in (
        (["--output=x.txt"], "FILE.csv or FILE.jsonl"),
        (["--to=argilla", "--output=x.csv"], "FILE.json"),
    ):
        assert cli.main(["suspects", str(reviewed[0].run), *options]) == 2
        assert f"expected {expected}" in capsys.readouterr().err
