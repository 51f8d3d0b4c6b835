import tracemalloc

import numpy as np
import pytest

from kerasclf.data import minhash
from kerasclf.data.duplicates import NearDuplicateIndex, group_texts, normalize


def test_normalize():
    assert normalize("  Halo,   DUNIA!! ") == "halo dunia"
    assert normalize("ﬁle №1") == normalize("FILE no1")
    assert normalize("?!") == "?!"
    assert normalize("👍") != normalize("👎")
    # Vowel signs are marks, and are part of the word.
    assert normalize("कि") != normalize("का")


def test_groups_by_hand():
    texts = [
        "kamu jahat sekali, pergi dari sini sekarang juga!",
        "Kamu jahat sekali... pergi dari sini sekarang juga",
        "kamu jahat sekali, pergi dari sini sekarang juga ya",
        "selamat pagi semuanya",
        "a",
        "b",
    ]
    assert group_texts(texts).tolist() == [0, 0, 0, 1, 2, 3]


def test_group_names_join_rows_and_empty_names_do_not():
    assert group_texts(["a", "b", "c", "d"], ["x", "", "x", ""]).tolist() == [0, 1, 0, 2]


def test_texts_and_group_names_form_chains():
    # a and b share a name, b and B a normalized text, B and c a name.
    assert group_texts(["a", "b", "B", "c"], ["x", "x", "y", "y"]).tolist() == [0, 0, 0, 0]


def test_most_lightly_edited_texts_are_found():
    random = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz ")
    originals = ["".join(random.choice(letters, 120)) for _ in range(200)]
    copies = [text[:60] + "x" + text[61:] for text in originals]
    groups = group_texts(originals + copies)
    assert (groups[:200] == groups[200:]).mean() > 0.95
    assert len(set(groups[:200])) == 200


def test_a_template_is_one_group():
    rest = (
        "jangan berikan kepada siapa pun, kami tidak pernah meminta kode lewat telepon atau pesan"
    )
    texts = [f"Kode verifikasi kamu {i:04d}, {rest}" for i in range(3000)]
    assert set(group_texts([*texts, "an unrelated text"])) == {0, 1}


def make_texts(count):
    random = np.random.default_rng(0)
    words = np.array(["".join(random.choice(list("aeioukstmnr"), 6)) for _ in range(3000)])
    return [" ".join(random.choice(words, 16)) for _ in range(count)]


@pytest.mark.parametrize("chunk", [1, 100, 10_000])
def test_bands_do_not_depend_on_how_texts_are_cut(monkeypatch, chunk):
    texts = ["", "a", "abcde", "😀" * 9, *make_texts(30)]
    expected = minhash.hash_bands(texts)
    monkeypatch.setattr(minhash, "CHUNK_SHINGLES", chunk)
    np.testing.assert_array_equal(minhash.hash_bands(texts), expected)
    assert minhash.hash_bands([]).shape == (0, minhash.BANDS)


def test_bands_of_similar_texts_are_equal_as_often_as_the_formula_says():
    texts = make_texts(400)
    shares = []
    for text in texts:
        copy = text[:60] + "qqq" + text[63:]
        first, second = (set(minhash.list_shingles(t)) for t in (text, copy))
        similarity = len(first & second) / len(first | second)
        shares.append(1 - (1 - similarity**minhash.ROWS) ** minhash.BANDS)
    copies = [text[:60] + "qqq" + text[63:] for text in texts]
    equal = (minhash.hash_bands(texts) == minhash.hash_bands(copies)).any(axis=1)
    assert equal.mean() == pytest.approx(np.mean(shares), abs=0.03)


def test_memory_for_a_text_is_bounded():
    texts = make_texts(4000)
    texts += [f"{text} ya" for text in texts[:1000]]
    group_texts(texts[:10])
    tracemalloc.start()
    groups = group_texts(texts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(groups.tolist())) == 4000
    fixed = 40 * 2**20
    """Sets of shingles that are kept, and a chunk."""
    assert peak < fixed + 2000 * len(texts)


def test_an_index_finds_what_groups_join():
    texts = make_texts(200)
    near, far = [text[:40] + "q" + text[41:] for text in texts], make_texts(250)[200:]
    index = NearDuplicateIndex(texts)
    assert index.matches([*texts, *near]).mean() > 0.97
    assert index.matches([text.upper() for text in texts]).all()
    assert not index.matches(far).any()
    assert not NearDuplicateIndex([]).matches(["a"]).any()
