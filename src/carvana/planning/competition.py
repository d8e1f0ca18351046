"""The competition's files: drawn, downloaded or the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana.data.folder import data_folder
from carvana.data.layout import ENDINGS
from carvana.errors import UserError
from carvana.planning.options import option
from carvana.planning.run import Run
from carvana.provenance import listing_digest

# What the intake of each split reads of the competition's files.
INTAKE_FILES: Final = {"train": ("train_hq", "train_masks"), "test": ("test_hq", "sample_submission")}


@dataclass(frozen=True)
class Competition:
    """The files that a run begins with."""

    run: Run

    @property
    def name(self) -> str:
        """The competition that is downloaded from and submitted to, by its name in Kaggle's addresses."""
        return str(self.run.config["competition"])

    @property
    def folder(self) -> Path:
        """The folder in Kaggle's layout, drawn, downloaded to, or the user's."""
        return self.run.results / "competition" if self.run.synthetic else data_folder(self.run.config)

    def drawing_arguments(self) -> str:
        """The arguments of draw_synthetic.py that say what is drawn."""
        drawn = self.run.config["data"]["synthetic"]
        return " ".join(option(name.replace("_", "-"), value) for name, value in drawn.items())

    @property
    def images(self) -> Path:
        """Where zips are unpacked and reduced images lie, by their content: once for all runs."""
        return self.run.shared("images")

    def listing(self, names: Sequence[str]) -> str:
        """Digest of these files' names, sizes and times in a user's folder; empty where we drew or downloaded them."""
        if self.run.config["data"]["source"] != "folder":
            return ""
        places = (self.folder / f"{name}{ending}" for name in names for ending in ENDINGS)
        return listing_digest(places)

    def intake_listing(self, split: str) -> str:
        """Digest that changes when what the intake of train or test reads of a user's folder does."""
        return self.listing(INTAKE_FILES[split])

    def receipts(self, names: Sequence[str]) -> list[str]:
        """The receipts of the files of these names; none where they are not downloaded."""
        downloaded = self.run.config["data"]["source"] == "kaggle"
        return [str(self.run.results / f"download/{name}.json") for name in names] if downloaded else []

    def intake_receipts(self, split: str) -> list[str]:
        """The receipts of the files that the intake of train or test reads; none where they are not downloaded."""
        return self.receipts(INTAKE_FILES[split])

    def all_receipts(self) -> list[str]:
        """The receipts of all files of the competition that we use. Raises UserError where none is downloaded."""
        if receipts := self.receipts(list(self.run.published["files"])):
            return receipts
        raise UserError(
            f"data.source is {self.run.config['data']['source']}, so there is nothing to download; set it to kaggle"
        )

    def remote_names(self, name: str) -> str:
        """The names under which Kaggle may list a file, the preferred one first; an argument of download.py."""
        names: list[str] = self.run.published["files"][name]["names"]
        return " ".join(names)

    def size_argument(self, name: str) -> str:
        """The argument of download.py that compares a file's size with the published one, where one is known."""
        mebibytes = self.run.published["files"][name].get("mebibytes")
        expected = mebibytes and self.run.config["data"]["expect_published"]
        return option("published-mebibytes", mebibytes) if expected else ""

    def counts_arguments(self, split: str) -> str:
        """The arguments of intake.py that make it insist on the published numbers."""
        if not self.run.config["data"]["expect_published"]:
            return ""
        counts = self.run.published["counts"][split]
        return " ".join([option("expected-cars", counts["cars"]), option("expected-images", counts["images"])])
