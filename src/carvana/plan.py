"""What a configuration asks for: which files lie where, and what is made of what. The rules only write it down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Protocol, cast

import yaml

from carvana.catalogue import MEMBERS, RECIPES, SUBMISSIONS, merged_models, models_of, recipe_of, sections
from carvana.cost import gflops_of, priority
from carvana.data.folder import data_folder
from carvana.data.manifest import content_digest, read_manifest
from carvana.errors import UserError
from carvana.files import sha256_of
from carvana.geometry import FULL
from carvana.options import option
from carvana.origins import Origins
from carvana.provenance import code_digest, listing_digest, package_versions, recipe_digest, step_digest
from carvana.recipe import RELEASED, Edition, Recipe, load_recipe, model_names
from carvana.second_round import SecondRound

# A priority above all trainings': for what much waits for, or is in vain without.
FIRST_OF_ALL: Final = 10**9

# What the intake of each split reads of the competition's files.
INTAKE_FILES: Final = {"train": ("train_hq", "train_masks"), "test": ("test_hq", "sample_submission")}

# The parts of a recipe that merging depends on.
MERGING: Final = ("merge", "submission")


class ModelWildcards(Protocol):
    """The wildcards of a rule that makes something for one model."""

    model: str


@dataclass(frozen=True)
class Plan:
    """A validated configuration, the checkout's root, and what follows from them."""

    config: Mapping[str, Any]
    root: Path

    @property
    def edition(self) -> Edition:
        """Of the recipes."""
        edition: Edition = self.config["edition"]
        return edition

    @property
    def results(self) -> Path:
        """The folder of this run; another edition's lies beside the released one's."""
        suffix = "" if self.edition == RELEASED else f"-{self.edition}"
        return Path(self.config["results"], self.config["run"] + suffix)

    def recipe(self, model: str) -> Recipe:
        """The model's recipe."""
        return load_recipe(model, edition=self.edition)

    @cached_property
    def origins(self) -> Origins:
        """Where the networks come from."""
        return Origins(self.config, self.published, self.results, self.edition, self.models)

    @cached_property
    def second_round(self) -> SecondRound:
        """The plan of pseudo-labels."""
        return SecondRound(self.config, self.results, self.edition, self.test_parts, self.origins)

    def check(self) -> None:
        """Stop where the configuration asks for models, folds or rounds that there are not. Raises UserError."""
        self.origins.check(self.folds_by_model)
        self.second_round.check(self.ensembles)

    @cached_property
    def published(self) -> dict[str, Any]:
        """The facts of config/published.yaml."""
        facts: dict[str, Any] = yaml.safe_load((self.root / "config" / "published.yaml").read_text())
        return facts

    @property
    def synthetic(self) -> bool:
        """Whether the competition is drawn; then the truth of its test images is known."""
        return bool(self.config["data"]["source"] == "synthetic")

    @property
    def data(self) -> Path:
        """The folder in Kaggle's layout, drawn, downloaded to, or the user's."""
        return self.results / "competition" if self.synthetic else data_folder(self.config)

    @property
    def data_listing(self) -> str:
        """Digest that changes when the user's folder does; files that we made or verified ourselves need none."""
        return listing_digest(self.data) if self.config["data"]["source"] == "folder" else ""

    def receipts(self, names: Sequence[str]) -> list[str]:
        """The receipts of the competition's files of these names; none where they are not downloaded."""
        downloaded = self.config["data"]["source"] == "kaggle"
        return [str(self.results / f"download/{name}.json") for name in names] if downloaded else []

    def intake_receipts(self, split: str) -> list[str]:
        """The receipts of the files that the intake of train or test reads."""
        return self.receipts(INTAKE_FILES[split])

    def all_receipts(self) -> list[str]:
        """The receipts of all files of the competition that we use. Raises UserError where none is downloaded."""
        if receipts := self.receipts(list(self.published["files"])):
            return receipts
        raise UserError(
            f"data.source is {self.config['data']['source']}, so there is nothing to download; set it to kaggle"
        )

    def remote_names(self, name: str) -> str:
        """The names under which Kaggle may list a file, the preferred one first; an argument of download.py."""
        names: list[str] = self.published["files"][name]["names"]
        return " ".join(names)

    def published_size(self, name: str) -> str:
        """The argument of download.py that compares a file's size with the published one, where one is known."""
        mebibytes = self.published["files"][name].get("mebibytes")
        expected = mebibytes and self.config["data"]["expect_published"]
        return option("published-mebibytes", mebibytes) if expected else ""

    @property
    def quiet(self) -> str:
        """The scripts' argument."""
        return "--quiet" if self.config["quiet"] else ""

    @property
    def autotune(self) -> str:
        """The argument of scripts that run networks."""
        return "" if self.config["deterministic"] else "--autotune"

    @property
    def test_parts(self) -> tuple[str, ...]:
        """Names of the shards of the test images."""
        shards = self.config["shards"]
        return tuple(f"test-{shard:02}-of-{shards:02}" for shard in range(1, shards + 1))

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes of the configured members."""
        return tuple(recipe for member in self.config["members"] for recipe in MEMBERS[member])

    @property
    def ensembles(self) -> bool:
        """Whether all members are there, so that the ensemble can be made."""
        return set(self.config["members"]) == set(MEMBERS)

    def provenance(self, script: str) -> dict[str, str]:
        """Params of what `script` makes: the digest of its code and the releases of the numeric packages."""
        return {"code": code_digest(self.root / script), "packages": package_versions()}

    def recipe_provenance(self, script: str) -> dict[str, str | Callable[[ModelWildcards], str]]:
        """As `provenance`, for what is made for one model: its recipe's own modules and values count too."""
        wanted = sections(script)

        def code(wildcards: ModelWildcards) -> str:
            return step_digest(self.root / script, wildcards.model, self.edition)

        def values(wildcards: ModelWildcards) -> str:
            return recipe_digest(wildcards.model, wanted.values, edition=self.edition)

        return {"code": code, "recipe_values": values, "packages": package_versions()}

    def provenance_of(self, script: str, models: Sequence[str]) -> dict[str, str]:
        """As `recipe_provenance`, for what is always made for these models."""
        wanted = sections(script)
        code = " ".join(step_digest(self.root / script, model, self.edition) for model in models)
        values = " ".join(recipe_digest(model, wanted.values, edition=self.edition) for model in models)
        return {"code": code, "recipe_values": values, "packages": package_versions()}

    def expected_counts(self, split: str) -> str:
        """The arguments of intake.py that make it insist on the published numbers."""
        if not self.config["data"]["expect_published"]:
            return ""
        counts = self.published["counts"][split]
        return " ".join([option("expected-cars", counts["cars"]), option("expected-images", counts["images"])])

    def number_of_folds(self, scheme: str) -> int:
        """How many folds the scheme is cut into: the authors', or as many as a small run asks for."""
        authors: dict[str, int] = {
            load_recipe(model).folds.scheme: load_recipe(model).folds.count for model in model_names()
        }
        return int(self.config["folds"] or authors[scheme])

    def authors_digest(self, scheme: str) -> str:
        """The digest of the authors' folds, where a run insists on these; otherwise empty."""
        if not self.config["data"]["expect_published"] or self.config["folds"] is not None:
            return ""
        digest: str = self.published["fold_digests"][scheme]
        return digest

    def expected_digest(self, scheme: str) -> str:
        """The argument of folds.py that makes it insist on the authors' folds."""
        digest = self.authors_digest(scheme)
        return option("expected-digest", digest) if digest else ""

    def merging(self, recipe: str) -> str:
        """Digest of the recipe's rules of merging its models' maps."""
        return recipe_digest(merged_models(recipe, self.edition)[0], MERGING, edition=self.edition)

    def trained_with(self, model: str) -> str:
        """The argument of validate.py that says which folds an imported model was trained with, where that is known."""
        return self.origins.folds_argument(model, self.scheme(model))

    def scheme(self, model: str) -> str:
        """The fold scheme of a model."""
        return self.recipe(model).folds.scheme

    @property
    def folds_by_model(self) -> dict[str, int]:
        """How many folds each model of the edition has."""
        return {model: self.number_of_folds(self.scheme(model)) for model in model_names(edition=self.edition)}

    def overrides(self, model: str) -> str:
        """The arguments of train.py that replace values of the recipe, to make a training small."""
        recipe = recipe_of(model, self.edition)
        values = {name: self.config[name][recipe] for name in ("epochs", "images_per_step")}
        return " ".join(option(name.replace("_", "-"), value) for name, value in values.items() if value)

    def exclusions(self) -> list[str]:
        """The table of images that are left out of training, if one is named."""
        path = self.config["data"]["exclude"]
        if path and Path(path).absolute().is_relative_to(self.results.absolute()):
            raise UserError(
                f"data.exclude is {path}, which this run makes itself from its images: copy it to another folder, look"
                " at its marks there, and name the copy"
            )
        return [path] if path else []

    @property
    def store(self) -> Path:
        """Where what was computed at great cost is kept."""
        return Path(self.config["store"] or Path(self.config["results"], "store"))

    @property
    def save_seconds(self) -> float:
        """From one saved state of a training to the next."""
        return float(self.config["save_minutes"]) * 60

    def training_priority(self, model: str) -> int:
        """Snakemake's, so that the longest trainings start first, and before all others a first round's, and the second
        round's that wait for them.
        """
        return self.chain_priority(model) + priority(self.recipe(model), gflops_of(self.published))

    def chain_priority(self, model: str) -> int:
        """Snakemake's, of what lies between a first and a second round's trainings of the model."""
        in_chain = model in self.second_round.models or model in self.second_round.firsts
        return FIRST_OF_ALL if in_chain else 0

    def cache_key(
        self, wildcards: Iterable[tuple[str, str]], files: Iterable[tuple[str, object]], threads: int, gpus: int
    ) -> str:
        """What Snakemake's own cache leaves out of its keys: wildcards, names of inputs, what manifests say, the device
        and, on the CPU, the number of threads.

        Weights count by the job that made them, as Snakemake sees to.

        Args:
            wildcards: of the job, by name.
            files: its inputs, by role; FileNotFoundError where the manifest or the folds are not made yet: Snakemake
                asks again before the job runs.
            threads: of the job.
            gpus: granted to the job; 0: it runs on the CPU.
        """
        parts: list[object] = [sorted(wildcards), "cuda" if gpus else f"cpu, {threads} threads"]
        for role, paths in files:
            names = [paths] if isinstance(paths, str) else list(cast("Iterable[object]", paths))
            files_of_role = [Path(str(name)) for name in names]
            if role in ("manifest", "pseudo"):
                parts.extend(_content(path, path.stat().st_mtime_ns) for path in files_of_role)
            elif role == "folds":
                parts.extend(sha256_of(path) for path in files_of_role)
            else:
                parts.append([path.name for path in files_of_role])
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def gpus(self, model: str) -> int:
        """How many GPUs share a training."""
        gpus: int = self.config["gpus_per_training"].get(recipe_of(model, self.edition), 1)
        return gpus

    def memory_arguments(self, model: str) -> str:
        """The arguments of train.py that ask for large cards, or for less of their memory."""
        recipe = recipe_of(model, self.edition)
        gibibytes = self.config["gpu_memory"][recipe]
        checkpointing = self.config["activation_checkpointing"].get(recipe, False)
        return " ".join(
            [option("gpu-memory", gibibytes)] * bool(gibibytes) + [option("activation-checkpointing")] * checkpointing
        )

    def encoder_receipt(self, model: str) -> list[str]:
        """The receipt of the ImageNet weights that a model begins from, or nothing."""
        encoder = self.recipe(model).network.encoder
        if encoder is None or self.config["encoder_weights"]["source"] == "random":
            return []
        return [str(self.results / "encoders" / f"{encoder}.json")]

    def encoder_file(self, encoder: str) -> Path:
        """Where an encoder's ImageNet weights lie: with the user, or beside all runs' results once downloaded."""
        given = self.config["encoder_weights"]
        folder = given["folder"] if given["source"] == "folder" else Path(self.config["results"], "encoders")
        return Path(folder, self.published["encoders"][encoder])

    def encoder_origin(self, encoder: str) -> str:
        """The argument of encoder_weights.py that lets it download."""
        given = self.config["encoder_weights"]
        url = f"{given['url']}/{self.published['encoders'][encoder]}"
        return option("url", url) if given["source"] == "imagenet" else ""

    def encoder_argument(self, model: str) -> str:
        """The argument of train.py that names the ImageNet weights."""
        encoder = self.recipe(model).network.encoder
        if encoder is None or not self.encoder_receipt(model):
            return ""
        return option("encoder-weights", self.encoder_file(encoder))

    def imagenet_histories(self, models: Sequence[str]) -> list[str]:
        """The tables of training of these models' first folds. Raises UserError: nothing to compare."""
        if imported := [model for model in models if self.origins.released(model)]:
            raise UserError(f"weights of {imported[0]} are imported, so there is no curve; set weights to trained")
        if self.config["encoder_weights"]["source"] == "random":
            raise UserError("encoder_weights.source is random, so there is nothing to compare; set imagenet or folder")
        return [str(self.results / f"models/{model}/fold0/history.csv") for model in models]

    @property
    def models(self) -> tuple[str, ...]:
        """The models of the configured members."""
        return tuple(model for recipe in self.recipes for model in models_of(recipe, self.edition))

    @property
    def merged(self) -> tuple[str, ...]:
        """Those of them whose maps the ensemble is made of."""
        return tuple(model for recipe in self.recipes for model in merged_models(recipe, self.edition))

    @property
    def schemes(self) -> tuple[str, ...]:
        """The fold schemes of these models, each once."""
        return tuple(dict.fromkeys(self.scheme(model) for model in self.models))

    def fold_tables(self) -> list[str]:
        """The tables of folds, in the order of `schemes`."""
        return [str(self.results / f"folds/{scheme}.csv") for scheme in self.schemes]

    def network_folds(self, model: str) -> tuple[int, ...]:
        """The folds that the model has a network of: all, unless some are imported."""
        return self.origins.some_folds(model) or tuple(range(self.number_of_folds(self.scheme(model))))

    def partial(self, models: Iterable[str]) -> bool:
        """Whether one of these models has networks of some folds only, so that some images have no out-of-fold map."""
        return any(self.origins.some_folds(model) is not None for model in models)

    def common_argument(self, models: Iterable[str], part: str) -> str:
        """The argument of steps that join maps: only the images that all have, where that is to be expected."""
        return "--common" if part == "train" and self.partial(models) else ""

    def network(self, model: str, fold: int) -> str:
        """The weights of one network."""
        return str(self.results / f"models/{model}/fold{fold}/weights.safetensors")

    def weights(self, model: str) -> list[str]:
        """The weights of a model's networks, in the order of their folds. Raises UserError: it is not of the run."""
        if model not in self.models:
            member = next(name for name, recipes in MEMBERS.items() if recipe_of(model, self.edition) in recipes)
            raise UserError(f"{model} is {member}'s, who is left out of `members` in the configuration; add him there")
        return [self.network(model, fold) for fold in self.network_folds(model)]

    def sums(self, model: str, part: str) -> str:
        """The summed maps of a model: out of fold for the training images, of all networks for a test shard."""
        return str(self.results / (f"oof/{model}/maps.h5" if part == "train" else f"predictions/{model}/{part}.h5"))

    def masks_folder(self, model: str) -> str:
        """The folder of the masks of one model; a recipe's only merged model has the recipe's."""
        recipe = recipe_of(model, self.edition)
        if merged_models(recipe, self.edition) == (model,):
            return recipe
        # The recipe has its name: its second round takes its place there.
        return f"{model}_first_round" if model == recipe else model

    @property
    def own_masks(self) -> dict[str, str]:
        """Folder -> model, of the models that have masks of their own beside their recipe's."""
        folders = {self.masks_folder(model): model for model in model_names(edition=self.edition)}
        return {folder: model for folder, model in folders.items() if folder not in RECIPES}

    def masks_of(self, submission: str) -> list[str]:
        """The tables of test masks of a member's, the ensemble's or a model's submission."""
        models = model_names(edition=self.edition)
        own = self.masks_folder(submission) if submission in models else submission
        folder = self.results / "masks" / SUBMISSIONS.get(submission, own)
        return [str(folder / f"{part}.csv") for part in self.test_parts]

    def submissions(self, member: str) -> list[str]:
        """A member's submissions, one for each of his recipes."""
        return [self.submission(name) for name, recipe in SUBMISSIONS.items() if recipe in MEMBERS[member]]

    def submission(self, name: str) -> str:
        """The file of a submission."""
        return str(self.results / f"submissions/{name}.csv.gz")

    def wanted_submissions(self) -> list[str]:
        """The submissions of all configured members and, if they are all there, the ensemble's."""
        wanted = [path for member in self.config["members"] for path in self.submissions(member)]
        return wanted + [self.submission("ensemble")] * self.ensembles

    @property
    def competition(self) -> str:
        """The competition that is downloaded from and submitted to, by its name in Kaggle's addresses."""
        return str(self.config["competition"])

    @property
    def ledger(self) -> Path:
        """Where all runs write down what they submitted."""
        return Path(self.config["results"], "submitted")

    def leaderboard_submissions(self) -> list[str]:
        """The submissions to send to Kaggle. Raises UserError where none may be, or can be, sent."""
        if not self.config["leaderboard"]:
            raise UserError(
                "nothing is sent to Kaggle unless you ask for it: name the submissions to send in the configuration, or"
                """ with --config 'leaderboard=["ensemble"]'"""
            )
        if self.config["geometry"] != FULL.name and self.competition == self.published["competition"]:
            raise UserError(
                f"geometry is {self.config['geometry']}: its masks are not of the size that {self.competition} scores,"
                " so nothing is sent there; set geometry to full, or competition to one with such images"
            )
        return [self.submission(name) for name in self.config["leaderboard"]]

    def leaderboard_arguments(self) -> str:
        """The --submission arguments of submit.py."""
        names = self.config["leaderboard"]
        return " ".join(option("submission", name, self.submission(name)) for name in names)


@cache
def _content(manifest: Path, changed: int) -> str:
    return content_digest(read_manifest(manifest))
