"""Similarity to training texts, templates, and figures of parts of the rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from sklearn.metrics import f1_score

from kerasclf.config import TrainConfig
from kerasclf.data.duplicates import group_texts, normalize
from kerasclf.data.templates import find_templates, merge_groups
from kerasclf.evaluation import novelty
from kerasclf.evaluation.novelty import describe_novelty, find_similarity
from kerasclf.evaluation.slices import find_gap, find_weak, measure_slices
from kerasclf.evaluation.tfidf import make_features, normalize_features
from kerasclf.job.prepare import prepare_job

TEXTS = ["good morning Solo", "good evening Solo", "the train is late", "rice and tea"]


def features(training, held):
    make = make_features()
    return [
        normalize_features(part) for part in (make.fit_transform(training), make.transform(held))
    ]


def test_similarity_is_that_of_the_nearest_text():
    held = ["good morning Solo", "the train is late today", "zzz"]
    trained, tested = features(TEXTS, held)
    rows, similarity = find_similarity(trained, tested, 0)
    assert rows.tolist() == [0, 1, 2]
    expected = (tested @ trained.T).toarray().max(axis=1)
    np.testing.assert_allclose(similarity, expected, atol=1e-12)
    assert similarity[0] == pytest.approx(1)
    assert similarity[2] == 0


def test_many_texts_are_a_sample_in_chunks(monkeypatch):
    words = [f"word{i} and word{i // 2} or word{i // 3}" for i in range(300)]
    trained, tested = features(words, words[::-1])
    everything = find_similarity(trained, tested, 0)
    monkeypatch.setattr(novelty, "CHUNK", 1000)
    for whole, chunked in zip(everything, find_similarity(trained, tested, 0), strict=True):
        np.testing.assert_allclose(chunked, whole, atol=1e-12)
    monkeypatch.setattr(novelty, "MOST_PRODUCTS", 10)
    rows, similarity = find_similarity(trained, tested, 0)
    assert len(rows) == 200
    np.testing.assert_allclose(similarity, everything[1][rows], atol=1e-12)
    assert rows.tolist() != find_similarity(trained, tested, 1)[0].tolist()


def test_novelty_by_hand():
    similarity = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    hits = np.array([0, 0, 1, 0, 1, 1, 1, 1], dtype=bool)
    found = describe_novelty(similarity, hits)
    assert found["close"] == 3 / 8
    # Of 3 x 5 pairs of a miss and a hit, one is in the wrong order.
    assert found["auc"] == pytest.approx(14 / 15)
    assert [quarter["accuracy"] for quarter in found["quarters"]] == [0, 0.5, 1, 1]
    assert found["quarters"][1] == {"low": 0.3, "high": 0.4, "rows": 2, "accuracy": 0.5}
    assert found["decides"]
    assert not describe_novelty(similarity, hits[::-1])["decides"]
    assert not describe_novelty(similarity / 2, hits)["decides"]
    assert describe_novelty(similarity, np.ones(8, dtype=bool))["auc"] == 0.5


def test_templates_by_hand():
    texts = [
        "I know many people from Bali",
        "i KNOW many people from Solo!",
        "I know many women from Solo",
        "I know many people",
        "too short here",
        "too short there",
        "I know many people from Bali today",
    ]
    # The second is one word from the first and from the third.
    assert find_templates(texts).tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert find_templates([]).tolist() == []


WORDS = st.lists(st.sampled_from("abc"), min_size=0, max_size=6).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=8))
def test_templates_are_what_all_pairs_say(texts):
    words = [normalize(text).split() for text in texts]

    def alike(first, second):
        is_long = len(first) == len(second) >= 4
        return is_long and sum(a != b for a, b in zip(first, second, strict=True)) <= 1

    expected = list(range(len(texts)))
    for _ in texts:
        for i in range(len(texts)):
            for j in range(i):
                if alike(words[i], words[j]):
                    expected[i] = expected[j] = min(expected[i], expected[j])
    assert find_templates(texts).tolist() == pd.factorize(np.array(expected))[0].tolist()


def test_groups_that_share_a_key_are_merged():
    groups = np.array([0, 1, 1, 2, 3])
    keys = np.array([5, 6, 7, 7, 8])
    assert merge_groups(groups, (np.arange(5), keys)).tolist() == [0, 1, 1, 1, 2]
    assert merge_groups(groups, (np.zeros(0, int), np.zeros(0, int))).tolist() == [0, 1, 1, 2, 3]


def test_templates_stay_in_one_split(tmp_path):
    places = ["Solo", "Bandung", "Semarang", "Yogyakarta", "Surabaya", "Magelang", "Jakarta"]
    rows = [(f"x{i} y{i} z{i} people from {p} there", "a") for i in range(30) for p in places]
    rows += [(f"text {i * 7919 % 1009} of class {i} b{i * i}", "b") for i in range(200)]
    path = tmp_path / "t.csv"
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(path, index=False)
    options = {"data": path, "encoder": "linear"}
    job = prepare_job(TrainConfig(**options))
    assert any("share a template with others" in line for line in job.warnings())
    families = find_templates(job.examples.rows["text"].tolist())
    assert job.findings["templates"]["rows"] > 200
    together = prepare_job(TrainConfig(**options, group_templates=True))
    for one, is_whole in ((job, False), (together, True)):
        splits = one.split.groupby(families)["split"].nunique()
        assert (splits.max() == 1) == is_whole
    # They are no near-duplicates: without the option they are on both sides.
    groups = group_texts(job.examples.rows["text"].tolist())
    assert len(np.unique(groups)) > len(np.unique(families))


def test_slices_by_hand():
    values = pd.Series(["x"] * 20 + ["y"] * 60 + [""] * 10 + ["r"] * 5 + ["s"] * 5)
    class_ids = np.arange(100) % 2
    predicted = class_ids.copy()
    predicted[:12] = 1 - predicted[:12]
    found = measure_slices(values, class_ids, predicted, 2, 0, targets=["accuracy>=0.5"])
    assert list(found) == ["(2 others)", "(none)", "x", "y"]
    assert [entry["rows"] for entry in found.values()] == [10, 10, 20, 60]
    x = found["x"]
    assert x["measures"]["accuracy"]["value"] == 0.4
    expected = f1_score(class_ids[:20], predicted[:20], average="macro")
    assert x["measures"]["macro_f1"]["value"] == pytest.approx(expected)
    assert [target["met"] for target in x["targets"]] == [False]
    p = fisher_exact([[8, 12], [80, 0]], alternative="less").pvalue
    assert x["p_below"] == pytest.approx(4 * p)
    assert find_weak(found) == ["x"]
    assert find_gap(found)[1] == "x"


def test_equal_slices_are_not_weak():
    random = np.random.default_rng(0)
    weak = 0
    for _ in range(12):
        class_ids = random.integers(0, 2, 400)
        predicted = np.where(random.random(400) < 0.8, class_ids, 1 - class_ids)
        values = pd.Series(random.choice(["a", "b", "c", "d"], 400))
        found = {
            name: {"p_below": entry["p_below"]}
            for name, entry in measure_slices(values, class_ids, predicted, 2, 0).items()
        }
        weak += bool(find_weak(found))
    assert weak <= 3
