"""A recipe as typed, validated values: what a winner did for one model. `recipe_files` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from carvana.geometry import InputSize

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Range = tuple[float, float]

Encoder = Literal["vgg11", "resnet34"]
OptimizerName = Literal["adam", "rmsprop", "sgd"]
Border = Literal["reflect_both_sides", "zeros_right", "none"]
To8Bits = Literal["truncate", "round"]


class Section(BaseModel):
    """Base of every part of a recipe: frozen; unknown keys are refused, and values converted as pydantic does."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Modules(Section):
    """The library modules that this recipe alone uses; a change in one retrains only its recipes."""

    network: str
    transforms: str
    loss: str
    schedule: str


class Folds(Section):
    """How the cars are divided; `count` is the authors' (a small run may ask for fewer)."""

    scheme: Literal["f04a", "fma", "random7", "area7"]
    count: Count


class Network(Section):
    """Encoder whose ImageNet weights start the network (none: random), decoder width, what the network returns."""

    encoder: Encoder | None
    num_filters: Count
    output: Literal["probabilities", "logits"]


class Clahe(Section):
    """Contrast-limited adaptive histogram equalisation of the luma plane."""

    clip_limit: Positive
    tiles: tuple[int, int]


class Input(Section):
    """From the decoded 8-bit image to the network's input."""

    channels: Literal["rgb", "bgr"]
    size: InputSize
    border: Border
    normalisation: Literal["imagenet", "none"]
    clahe: Clahe | None = None


class TernausAugmentation(Section):
    """Horizontal flip, then an HSV shift or a grey car. Shifts are half-widths of uniform draws, in 8-bit HSV units."""

    kind: Literal["ternaus"]
    flip_probability: Probability
    colour_probability: Probability
    hsv_probability: Probability
    hue_shift: float
    saturation_shift: float
    value_shift: float


class AlbuAugmentation(Section):
    """Flip, shift-scale-rotate, brightness, HSV shift. Angles in degrees; `shift` is a fraction of the size."""

    kind: Literal["albu"]
    flip_probability: Probability
    shift_scale_rotate_probability: Probability
    angle: float
    scale: Range
    shift: float
    shift_rounded_before_scaling: bool
    brightness_probability: Probability
    brightness: float
    hsv_probability: Probability
    hue_shift: float
    saturation_shift: float
    value_shift: float


class AsanakoyStage(Section):
    """One `aug` level of the released U-Net programs, in force from `from_epoch` on."""

    from_epoch: Annotated[int, Field(ge=0)]
    flip_probability: Probability
    shift_scale_rotate_probability: Probability
    angle: float
    scale: Range
    shift: float
    brightness_probability: Probability
    brightness: float
    contrast_probability: Probability
    contrast: float
    saturation_probability: Probability
    saturation: float
    grey_probability: Probability


class AsanakoyAugmentation(Section):
    """The stages in order of `from_epoch`; a warped mask is car where it is above `mask_threshold` (8 bits)."""

    kind: Literal["asanakoy"]
    mask_threshold: int
    stages: tuple[AsanakoyStage, ...]


class TernausLoss(Section):
    """Binary cross-entropy minus the logarithm of the batch's soft Dice."""

    kind: Literal["ternaus"]
    epsilon: Positive


class AlbuLoss(Section):
    """Binary cross-entropy on logits plus one minus the mean soft Dice."""

    kind: Literal["albu"]
    smooth: Positive


class AsanakoyLoss(Section):
    """Cross-entropy and Dice, weighted near the outline. `kernels`: pooling window by mask height in pixels."""

    kind: Literal["asanakoy"]
    kernels: dict[int, int]
    outline: Range
    outline_weight: Positive
    smooth: Positive


class Optimizer(Section):
    """The optimizer, and when a new one (without memory) takes its place."""

    name: OptimizerName
    momentum: float
    weight_decay: float
    renewed: Literal["never", "every_epoch", "at_epoch"]
    renewed_at: int | None = None
    renewed_as: OptimizerName | None = None


class TernausSchedule(Section):
    """rate x factor ^ floor((epoch mod period) / step)."""

    kind: Literal["ternaus"]
    rate: Positive
    factor: Positive
    period: Count
    step: Count


class AlbuSchedule(Section):
    """Before `restart`: rate x factor ^ floor(epoch / first_step); then repeating, with `period` and `step`."""

    kind: Literal["albu"]
    rate: Positive
    factor: Positive
    first_step: Count
    restart: Count
    period: Count
    step: Count


class MilestoneSchedule(Section):
    """The rate is multiplied by `factor` at every milestone, counted within a cycle (`cycle`: none, one long run)."""

    kind: Literal["milestones"]
    rate: Positive
    factor: Positive
    milestones: tuple[int, ...]
    cycle: Count | None


class Training(Section):
    """The optimisation loop. `gradient_scale: batch` multiplies the loss by the batch's size before its gradient."""

    epochs: Count
    first_epoch: Literal[0, 1]
    batch_size: Count
    drop_last: bool
    accumulate: Count
    gradient_scale: Literal["mean", "batch"]
    clip_norm: float | None
    hard_negative_period: int | None

    @property
    def images_per_step(self) -> int:
        """Images whose gradients make one optimisation step."""
        return self.batch_size * self.accumulate


class Validation(Section):
    """How an epoch is judged. `batch_norm: batch`: statistics of the batch, and the running ones move."""

    batch_size: Count
    batch_norm: Literal["running", "batch"]
    border: Annotated[int, Field(ge=0)]
    masks_at: Literal["network", "image"]


class Selection(Section):
    """Which epoch's weights are kept."""

    metric: Literal["loss", "dice"]
    goal: Literal["lowest", "highest"]


class Prediction(Section):
    """From logits to a stored 8-bit map."""

    mirror: bool
    to_8_bits: To8Bits


class Merge(Section):
    """From several 8-bit maps to one."""

    to_8_bits: To8Bits


class Submission(Section):
    """The member's own mask: car where the merged 8-bit map, or the unrounded mean of the maps, reaches `threshold`."""

    of: Literal["merged", "mean"]
    threshold: int


class PseudoLabels(Section):
    """A model's second training: on its training images, and on test images with masks predicted by a first round.

    Attributes:
        first_round: the model whose recipe this one's is, and whose place it takes in the ensemble.
        car_ratio: pseudo-labelled cars per training car, at least, where the configuration names no number.
        precondition: out-of-fold Dice of the first round from which on this is expected to help.
        unclear: 8-bit levels from the first to the second, both included, are neither clearly car nor background.
    """

    first_round: str
    car_ratio: Positive
    precondition: Probability
    unclear: tuple[int, int]


# What the transforms make of an image, by the kind of augmentation: channels and border.
_INPUTS: Final[Mapping[str, tuple[str, str]]] = {
    "ternaus": ("rgb", "reflect_both_sides"),
    "albu": ("bgr", "zeros_right"),
    "asanakoy": ("rgb", "none"),
}


class Recipe(Section):
    """Everything that decides one model's weights and maps."""

    recipe: str
    model: str
    member: Literal["ternaus", "albu", "asanakoy"]
    modules: Modules
    folds: Folds
    seed: int | None
    network: Network
    input: Input
    augmentation: Annotated[TernausAugmentation | AlbuAugmentation | AsanakoyAugmentation, Field(discriminator="kind")]
    loss: Annotated[TernausLoss | AlbuLoss | AsanakoyLoss, Field(discriminator="kind")]
    optimizer: Optimizer
    schedule: Annotated[TernausSchedule | AlbuSchedule | MilestoneSchedule, Field(discriminator="kind")]
    training: Training
    validation: Validation
    selection: Selection
    prediction: Prediction
    merge: Merge
    submission: Submission
    pseudo_labels: PseudoLabels | None = None

    @model_validator(mode="after")
    def _states_what_its_transforms_do(self) -> Self:
        made = _INPUTS[self.augmentation.kind]
        if (self.input.channels, self.input.border) != made:
            raise ValueError(
                f"input.channels and input.border are {' and '.join(made)} with an augmentation of kind"
                f" {self.augmentation.kind}: its transforms make no other input"
            )
        return self

    def with_images_per_step(self, images: int) -> Recipe:
        """The recipe with an optimisation step for every so many images; for small runs, which need many steps.

        They are one batch, or one batch each where the author sums the gradients of batches.
        """
        changed = "batch_size" if self.training.accumulate == 1 else "accumulate"
        return self.model_copy(update={"training": self.training.model_copy(update={changed: images})})

    def epoch_of(self, index: int, run_epochs: int) -> int:
        """The recipe's epoch that epoch `index` (from 0) of a run of `run_epochs` stands for, as the authors count it.

        A run of the authors' length maps one to one; a shorter one takes even steps, which may pass over a change.
        """
        return self.training.first_epoch + index * self.training.epochs // run_epochs
