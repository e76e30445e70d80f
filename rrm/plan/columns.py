"""Plain aligned text: what a terminal, a log and a test read alike."""

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], *, indent: int = 2) -> list[str]:
    """Return the rows as lines whose cells stand below each other; the last cell keeps its length.

    >>> columns([("batch", "96", "seed"), ("mini", "24", "")])
    ['  batch  96  seed', '  mini   24']
    """
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(_longest(rows))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    )
    return [" " * indent + line for line in lines]


def _longest(rows: Sequence[Sequence[str]]) -> int:
    return max((len(row) for row in rows), default=0)


def gigabytes(count: float) -> str:
    """Return bytes as people say them, in powers of ten.

    >>> gigabytes(98_288_824_320), gigabytes(1_500_000), gigabytes(4.2e12)
    ('98.3 GB', '0.0 GB', '4.2 TB')
    """
    return f"{count / 1e12:.1f} TB" if count >= 1e12 else f"{count / 1e9:.1f} GB"
