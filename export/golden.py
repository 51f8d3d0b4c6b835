"""Texts on which every form of a model must agree."""

GOLDEN_TEXTS = (
    "",
    " ",
    "Selamat pagi, apa kabar?",
    "SELAMAT PAGI, APA KABAR?",
    "kamu bodoh sekali 😡🤬",
    "👩‍👩‍👧‍👦🇮🇩",
    "a\0b",
    "\0\0",
    "Привет, 你好 and مرحبا",
    "ꦱꦸꦒꦼꦁ ꦫꦮꦸꦃ",
    "é = e\u0301",
    "x" * 5000,
    "kata " * 400,
    "😀" * 300,
)
