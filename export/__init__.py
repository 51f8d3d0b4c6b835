"""From a trained run to files for phones, boards, browsers and servers."""
