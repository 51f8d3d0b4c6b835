import functools
import http.server
import shutil
import threading

import numpy as np
import pandas as pd
import pytest

from kerasclf.config import TrainConfig
from kerasclf.data import chat_language
from kerasclf.data.download import MIRROR
from kerasclf.data.duplicates import group_texts
from kerasclf.data.examples import clean, load_examples
from kerasclf.data.findings import examine, naive_leak
from kerasclf.data.registry import DATA_SETS, read_data_set
from kerasclf.errors import UserError

COUNTS = {
    "id-hate": [7608, 3383, 1705, 473],
    "smsa": [4034, 1367, 7359],
    "nusax-jav": [383, 239, 378],
    "nusax-ind": [383, 239, 378],
}


@pytest.mark.parametrize("name", COUNTS)
def test_data_sets_from_a_folder(monkeypatch, mirror, name):
    monkeypatch.setenv(MIRROR, str(mirror))
    data_set, rows = read_data_set(name)
    counts = rows["label"].value_counts()
    assert [counts[label] for label in data_set.labels] == COUNTS[name]
    assert counts.sum() == len(rows)
    if name != "id-hate":
        assert set(rows["split"]) == {"train", "validation", "test"}


def test_downloaded_data_sets_are_cached(monkeypatch, mirror, tmp_path):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(mirror))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(MIRROR, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert len(read_data_set("nusax-jav")[1]) == 1000
    server.shutdown()
    server.server_close()
    assert len(read_data_set("nusax-jav")[1]) == 1000
    with pytest.raises(UserError, match=r"cannot download .*set KERASCLF_MIRROR"):
        read_data_set("smsa")


def test_files_with_a_wrong_hash_are_rejected(monkeypatch, mirror, tmp_path):
    for file in DATA_SETS["nusax-ind"].files:
        target = tmp_path / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mirror / file.path, target)
        target.chmod(0o644)
    target.write_bytes(target.read_bytes() + b"\n")
    monkeypatch.setenv(MIRROR, str(tmp_path))
    with pytest.raises(UserError, match="does not match the pinned SHA-256"):
        read_data_set("nusax-ind")


def test_unknown_data_set_and_missing_mirror(monkeypatch, tmp_path):
    with pytest.raises(UserError, match="did you mean 'id-hate'"):
        read_data_set("idhate")
    monkeypatch.setenv(MIRROR, str(tmp_path))
    with pytest.raises(UserError, match="has no file"):
        read_data_set("smsa")


def test_packaged_data_set():
    rows = chat_language.read(chat_language.folder())
    assert rows["label"].nunique() == 28
    assert rows.loc[rows["label"] != "", "text"].nunique() > 13000
    examples = load_examples(TrainConfig().resolved())
    assert len(examples.labels) == 25
    assert examples.small_classes == {"urdu": 18, "thai": 13, "telugu": 11}
    assert examples.rows["label"].value_counts().min() >= 25


def frame(pairs):
    texts, labels = zip(*pairs, strict=True)
    columns = {"text": texts, "label": labels, "group": "", "split": ""}
    return pd.DataFrame({"row": range(len(pairs)), **columns})


ROWS = [
    ("hello", "en"),
    ("hello", "en"),
    ("Hello!", "de"),
    ("", "en"),
    (" \u3000", "en"),
    ("no label", ""),
    *[(f"english number {i}", "en") for i in range(4)],
    *[(f"deutsche Zahl {i * 371}", "de") for i in range(4)],
    ("x" * 300, "En "),
    ("selten", "rare"),
]


def test_dropped_rows_are_counted_by_reason():
    examples = clean(frame(ROWS), "t", (), False, {}, 2)
    assert examples.dropped == {
        "no label": 1,
        "empty text": 2,
        "exact duplicate": 1,
        "class with fewer than 2 rows": 2,
    }
    assert examples.labels == ("de", "en")
    assert examples.small_classes == {"En ": 1, "rare": 1}
    assert examples.class_ids.tolist() == [1, 0, 1, 1, 1, 1, 0, 0, 0, 0]


def test_findings():
    examples = clean(
        frame([*ROWS, *[(f"extra row {i * 991}", "En ") for i in range(3)]]), "t", (), False, {}, 2
    )
    groups = group_texts(examples.rows["text"].tolist())
    findings = examine(examples, groups, groups, 0.2)
    assert findings["rows_read"] == len(ROWS) + 3
    assert findings["conflicting_texts"] == 1
    assert findings["conflict_examples"] == [{"text": "hello", "labels": ["de", "en"]}]
    assert findings["labels_that_look_alike"] == [["En ", "en"]]
    assert findings["imbalance_ratio"] == round(5 / 4, 2)
    assert any("look alike" in line for line in findings["warnings"])


def test_naive_leak_by_hand():
    # A pair and a single row: each row of the pair leaks with probability 1 - 0.2 = 0.8.
    rows = frame([("a", "x"), ("b", "x"), ("c", "x")])
    assert naive_leak(rows, rows, np.array([0, 0, 1]), 0.2) == pytest.approx(2 * 0.8 / 3, abs=1e-4)


def test_digest_identifies_the_data():
    first, same, other = (
        clean(frame(rows), "t", (), False, {}, 2).digest()
        for rows in (ROWS, ROWS, [*ROWS, ("one more", "en")])
    )
    assert first == same != other


@pytest.mark.parametrize(
    ("rows", "order", "message"),
    [
        ([("a", "x"), ("b", "x")], (), "found only 'x', expected at least two classes"),
        ([("", "x"), (" ", "y")], (), "all 2 texts are empty"),
        ([("a", ""), ("b", " ")], (), "all 2 labels are empty"),
        ([("a", "x"), ("b", "x"), ("c", "x"), ("d", "y")], (), "class 'y' has 1 distinct row"),
        (
            [(f"{i}", "xy"[i % 2]) for i in range(8)],
            ("x", "z"),
            "it lacks the label 'y' and no row has the label 'z'",
        ),
    ],
)
def test_unusable_data_is_rejected(rows, order, message):
    with pytest.raises(UserError, match=message):
        clean(frame(rows), "t", order, bool(order), {}, 0)


def test_split_column(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"text {i},{'ab'[i % 2]},{['Train', 'dev', 'test'][i // 6]}" for i in range(18)]
    path.write_text("text,label,part\n" + "\n".join(rows))
    examples = load_examples(TrainConfig(data=path, split_column="part").resolved())
    assert examples.rows["split"].value_counts().to_dict() == {
        "train": 6,
        "validation": 6,
        "test": 6,
    }
    path.write_text("text,label,part\nx,a,holdout\n")
    with pytest.raises(UserError, match="'holdout'; expected train, validation or test"):
        load_examples(TrainConfig(data=path, split_column="part").resolved())


def test_classes_without_texts_are_reported():
    rows = [*[(f"text {i * 37}", "xy"[i % 2]) for i in range(10)], ("  ", "z"), ("", "z")]
    examples = clean(frame(rows), "t", (), False, {}, 0)
    findings = examine(examples, np.arange(10), np.arange(10), 0.2)
    assert findings["lost_classes"] == ["z"]
    assert any("without a single usable text: 'z'" in line for line in findings["warnings"])
