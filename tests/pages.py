"""The pages that people read: README.md, and docs/*.md."""

from __future__ import annotations

import re
from typing import Final

from carvana.revision import ROOT

PAGES: Final = {path.name: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}


def prose(page: str) -> str:
    """A page's text without its line breaks."""
    return " ".join(PAGES[page].split())


def commands(page: str) -> list[str]:
    """The commands that a page's readers are to run, in its order."""
    blocks = re.findall(r"```console\n(.*?)```", PAGES[page], re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def links(page: str) -> list[str]:
    """What a page links to or shows, but for the web: paths, `#` and headings behind some."""
    return [target for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]) if not target.startswith("http")]


def anchors(page: str) -> set[str]:
    """What a link can name of a page behind `#`: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", PAGES[page], re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
