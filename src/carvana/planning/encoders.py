"""The ImageNet weights that encoders begin from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from carvana.errors import UserError
from carvana.planning.options import option
from carvana.planning.origins import Origins
from carvana.planning.run import Run


@dataclass(frozen=True)
class Encoders:
    """The configuration's section `encoder_weights`, and what follows from it.

    Attributes:
        run: the run.
        origins: where its networks come from.
    """

    run: Run
    origins: Origins

    def receipt(self, model: str) -> list[str]:
        """The receipt of the weights that a model begins from, or nothing."""
        encoder = self.run.recipe(model).network.encoder
        if encoder is None or self.run.random_encoders:
            return []
        return [str(self.run.results / "encoders" / f"{encoder}.json")]

    def file(self, encoder: str) -> Path:
        """Where an encoder's weights lie: with the user, or beside all runs' results once downloaded."""
        given = self.run.config["encoder_weights"]
        folder = given["folder"] if given["source"] == "folder" else self.run.shared("encoders")
        return Path(folder, self.run.published["encoders"][encoder])

    def url_argument(self, encoder: str) -> str:
        """The argument of encoder_weights.py that lets it download."""
        given = self.run.config["encoder_weights"]
        url = f"{given['url']}/{self.run.published['encoders'][encoder]}"
        return option("url", url) if given["source"] == "imagenet" else ""

    def argument(self, model: str) -> str:
        """The argument of train.py that names the weights."""
        encoder = self.run.recipe(model).network.encoder
        if encoder is None or not self.receipt(model):
            return ""
        return option("encoder-weights", self.file(encoder))

    def histories(self, models: Sequence[str]) -> list[str]:
        """The tables of training, from ImageNet, of these models' first folds. Raises UserError: nothing to compare."""
        if imported := [model for model in models if self.origins.is_imported(model)]:
            raise UserError(f"weights of {imported[0]} are imported, so there is no curve; set weights to trained")
        if self.run.random_encoders:
            raise UserError("encoder_weights.source is random, so there is nothing to compare; set imagenet or folder")
        return [str(self.run.results / f"models/{model}/fold0/history.csv") for model in models]
