"""The counts that the review commands print."""


def show_suspects(splits: dict[str, dict[str, int]]) -> None:
    """Prints how many labels of each split are suspected."""
    for name, counts in splits.items():
        print(f"{name:<11}{counts['suspects']:>7,} of {counts['rows']:,} labels are suspected")
