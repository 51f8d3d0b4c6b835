import numpy as np

from kerasclf.data.duplicates import group_texts, normalize


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
