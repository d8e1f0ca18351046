"""From a model's summed maps to masks: where they lie, and whose are whose."""

from __future__ import annotations

from dataclasses import dataclass

from carvana.catalogue import RECIPES, SUBMISSIONS, merged_models, recipe_of
from carvana.planning.run import Run
from carvana.recipe_files import model_names


@dataclass(frozen=True)
class Maps:
    """The maps and masks of a run."""

    run: Run

    def sums(self, model: str, part: str) -> str:
        """The summed maps of a model: out of fold for the training images, of all networks for a test shard."""
        folder = self.run.results
        return str(folder / (f"oof/{model}/maps.h5" if part == "train" else f"predictions/{model}/{part}.h5"))

    def masks_folder(self, model: str) -> str:
        """The folder of the masks of one model; a recipe's only merged model has the recipe's."""
        recipe = recipe_of(model, self.run.edition)
        if merged_models(recipe, self.run.edition) == (model,):
            return recipe
        # The recipe has its name: its second round takes its place there.
        return f"{model}_first_round" if model == recipe else model

    @property
    def own_masks(self) -> dict[str, str]:
        """Folder -> model, of the models that have masks of their own beside their recipe's."""
        folders = {self.masks_folder(model): model for model in model_names(edition=self.run.edition)}
        return {folder: model for folder, model in folders.items() if folder not in RECIPES}

    def masks_of(self, submission: str) -> list[str]:
        """The tables of test masks of a member's, the ensemble's or a model's submission."""
        models = model_names(edition=self.run.edition)
        own = self.masks_folder(submission) if submission in models else submission
        folder = self.run.results / "masks" / SUBMISSIONS.get(submission, own)
        return [str(folder / f"{part}.csv") for part in self.run.test_parts]
