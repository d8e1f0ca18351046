"""The pieces that a page is put together from, as HTML; everything that is not markup is escaped."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

Cell = str | float | int | None


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: its name in addresses.
        title: of it.
        body: HTML.
    """

    anchor: str
    title: str
    body: str


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole page, which needs no other file and no network."""
    links = "".join(f'<a href="#{section.anchor}">{escape(section.title)}</a>' for section in sections)
    bodies = "".join(
        f'<section id="{section.anchor}"><h2>{escape(section.title)}</h2>{section.body}</section>\n'
        for section in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>\n{_beside('page.css')}</style></head>\n"
        f"<body><main><header><h1>{escape(title)}</h1><p>{escape(lead)}</p><nav>{links}</nav></header>\n"
        f"{bodies}</main><script>\n{_beside('page.js')}</script></body></html>\n"
    )


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def link(file: Path, folder: Path) -> str:
    """Address of a file from a page in a folder."""
    return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()


def text(words: str, kind: str = "") -> str:
    """A paragraph; `kind` is a class of the style sheet."""
    return f'<p class="{kind}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>"


def heading(words: str) -> str:
    """The title of a part of a section."""
    return f"<h3>{escape(words)}</h3>"


def facts(values: Mapping[str, str]) -> str:
    """Named values, side by side."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in values.items())
    return f'<dl class="facts">{items}</dl>'


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    failing: Iterable[bool] = (),
    digits: Mapping[str, int] | None = None,
) -> str:
    """A table that sorts by a click on a column's head.

    Args:
        columns: names.
        rows: of cells; None is shown as a dash.
        failing: for each row, whether it is marked; none if not given.
        digits: decimals by column; 4 where it is not named.
    """
    listed = list(rows)
    decimals = [(digits or {}).get(name, 4) for name in columns]
    kinds = [_kind([row[place] for row in listed], place) for place in range(len(columns))]
    head = "".join(
        f'<th scope="col" class="{kind}">{escape(name)}</th>' for name, kind in zip(columns, kinds, strict=True)
    )
    marks = itertools.chain(failing, itertools.repeat(False))
    body = "".join(
        f"<tr{' class=fails' if mark else ''}>{''.join(map(_cell, row, kinds, decimals))}</tr>"
        for row, mark in zip(listed, marks, strict=False)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(cells: Sequence[Cell], place: int) -> str:
    if all(isinstance(cell, float | int | None) for cell in cells):
        return "number"
    return "name" if place == 0 else "text"


def _cell(cell: Cell, kind: str, decimals: int) -> str:
    shown = "–" if cell is None else f"{cell:,.{decimals}f}" if isinstance(cell, float) else str(cell)
    value = "" if cell is None or isinstance(cell, str) else f' data-value="{cell!r}"'
    return f'<td class="{kind}"{value}>{escape(shown)}</td>'


def plots(pictures: Mapping[str, str]) -> str:
    """Plots side by side.

    Args:
        pictures: address by caption.
    """
    figures = "".join(
        f"<figure><figcaption><b>{escape(caption)}</b></figcaption>"
        f'<img src="{address}" alt="{escape(caption)}"></figure>'
        for caption, address in pictures.items()
    )
    return f'<div class="plots">{figures}</div>'


@dataclass(frozen=True)
class Tile:
    """A picture, or several of one image, with a caption.

    Attributes:
        name: of the image.
        caption: below it.
        addresses: of the pictures.
        link: of the image at its full size.
    """

    name: str
    caption: str
    addresses: tuple[str, ...]
    link: str


def tiles(pictures: Iterable[Tile]) -> str:
    """Pictures side by side, each with a link to the image."""
    figures = "".join(
        f'<figure><a href="{escape(tile.link)}">'
        + "".join(f'<img src="{address}" alt="{escape(tile.name)}">' for address in tile.addresses)
        + f"</a><figcaption><b>{escape(tile.name)}</b><br>{escape(tile.caption)}</figcaption></figure>"
        for tile in pictures
    )
    return f'<div class="tiles">{figures}</div>'


def key(colours: Mapping[str, str]) -> str:
    """What colours mean."""
    items = " &nbsp; ".join(
        f'<span class="key" style="background:{colour}"></span> {escape(name)}' for name, colour in colours.items()
    )
    return f'<p class="faint">{items}</p>'


def folded(title: str, body: str) -> str:
    """A part that opens with a click."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"
