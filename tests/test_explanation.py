"""Which words made a label: exact for the linear part, by leaving words out for the network."""

import numpy as np
import pandas as pd
import pytest
from conftest import KEPT, SMALL
from hypothesis import given, settings
from hypothesis import strategies as st

from export.program.golden import GOLDEN_TEXTS
from kerasclf.explanation.linear import contribute
from kerasclf.explanation.words import Parts, _find_spans, explain
from kerasclf.linear.fit import fit_linear
from kerasclf.run.layout import RunLayout
from kerasclf.train import main as train
from kerasclf.trained import Classifier

NEUTRAL = np.array(["ini", "itu", "yang", "dan", "saya", "kamu", "hari", "pagi", "nasi", "kopi"])


def make_rows():
    """Texts of random neutral words, of which those with "goblok" are rude."""
    random = np.random.default_rng(0)
    texts, class_ids = [], []
    for number in range(120):
        words = random.choice(NEUTRAL, 5).tolist()
        if number % 2:
            words[random.integers(5)] = "goblok"
        texts.append(" ".join(words))
        class_ids.append(number % 2)
    return texts, np.array(class_ids)


@pytest.fixture(scope="module")
def linear():
    """A linear model of few bytes, so that long texts are truncated."""
    texts, class_ids = make_rows()
    return fit_linear(texts, class_ids, 2, max_bytes=40, terms=2000, inverse_penalty=1.0, seed=0)


def check_exact(model, texts):
    spans = [_find_spans(text) for text in texts]
    found = contribute(model, texts, spans)
    assert [len(values) for values in found] == [len(of_text) for of_text in spans]
    sums = np.array([values.sum(axis=0) for values in found])
    np.testing.assert_allclose(sums + model.bias, model.logits(texts), atol=1e-4)


def test_contributions_of_the_linear_part_add_up_to_its_logits(linear):
    texts, _ = make_rows()
    strange = [" - goblok , kamu!", "goblok\u00a0kamu", "pagi\x1cpagi goblok", "goblok-kamu\tpagi"]
    cut = ["pagi " * n + "goblok" for n in range(10)] + ["x" * n + " goblok" for n in range(30, 42)]
    check_exact(linear, [*texts, *GOLDEN_TEXTS, *strange, *cut])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet=" \t\0agGoblok0-é😀\ud800", max_size=60), min_size=1, max_size=4))
def test_contributions_of_any_text_add_up(linear, texts):
    check_exact(linear, texts)


def test_a_word_behind_the_last_byte_contributes_nothing(linear):
    text = "pagi " * 8 + "goblok"
    (found,) = contribute(linear, [text], [_find_spans(text)])
    assert np.all(found[-1] == 0)
    assert np.any(found[-2] != 0)


def test_both_parts_count_by_their_share():
    """Two parts that say the same of a text contribute their weighted mean."""

    class Linear:
        max_bytes = 100

    def network(texts):
        return np.array([[0.0, 2.0 * ("good" in text)] for text in texts])

    def predict(texts):
        logits = network(texts)
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return probabilities.argmax(axis=1), np.zeros(len(texts), bool), probabilities

    with pytest.MonkeyPatch.context() as patched:
        linear = Linear()
        linear.logits = lambda texts: 3 * network(texts)
        patched.setattr(
            "kerasclf.explanation.linear.contribute",
            lambda model, texts, spans: [np.array([[0.0, 0.0], [0.0, 6.0]])],
        )
        parts = Parts(network, linear, (0.25, 0.75), linear_temperature=3.0, temperature=2.0)
        (found,) = explain(predict, parts, ("no", "yes"), ["so good"])
    np.testing.assert_allclose([word.contribution for word in found.words], [0.0, 2.0 / 2])


@pytest.fixture(scope="module", params=["joined", "linear", "network"])
def layout(request, both_kept, tmp_path_factory):
    """A run of both parts, of the linear part or of the network, that keeps its files."""
    folder = tmp_path_factory.mktemp(request.param)
    texts, class_ids = make_rows()
    labels = np.array(["polite", "rude"])[class_ids]
    pd.DataFrame({"text": texts, "label": labels}).to_csv(folder / "posts.csv", index=False)
    options = {
        "joined": ["--epochs=12", *(o for o in SMALL if o != "--linear=none")],
        "network": ["--epochs=12", *SMALL],
        "linear": ["--encoder=linear", "--max-bytes=48"],
    }[request.param]
    assert train([f"--data={folder}/posts.csv", f"--output={folder}", *options]) == 0
    layout = RunLayout.open(folder / "posts")
    KEPT[0](layout)
    assert layout.linear.is_file() == (request.param != "network")
    return layout


def test_the_deciding_word_is_found_as_by_keras(layout):
    texts = ["saya makan goblok hari ini", "goblok", "nasi dan kopi", ""]
    light, keras = (Classifier(layout, use).explain(texts) for use in (False, True))
    assert Classifier(layout).explain([]) == []
    assert [explanation.label for explanation in light[:3]] == ["rude", "rude", "polite"]
    assert light[0].strongest(1)[0].text == "goblok"
    for word in light[0].words:
        assert word.contribution <= light[0].strongest(1)[0].contribution
    for one, other in zip(light, keras, strict=True):
        found, expected = ([w.contribution for w in e.words] for e in (one, other))
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_without_its_files_a_run_is_explained_by_keras(layout, tmp_path):
    import shutil

    shutil.copytree(layout.root, tmp_path / "run")
    old = RunLayout(tmp_path / "run")
    old.light.unlink()
    old.linear.unlink(missing_ok=True)
    (found,) = Classifier(old).explain(["saya makan goblok hari ini"])
    (expected,) = Classifier(layout).explain(["saya makan goblok hari ini"])
    values, wanted = ([w.contribution for w in e.words] for e in (found, expected))
    np.testing.assert_allclose(values, wanted, atol=1e-3)
