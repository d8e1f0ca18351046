"""Faults that a re-implementation could have, each with a test that must notice it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COLOUR: Final = "src/carvana/transforms/colour.py"
HSV: Final = "src/carvana/transforms/hsv.py"
SPATIAL: Final = "src/carvana/transforms/spatial.py"
LOOP: Final = "src/carvana/training/loop.py"
TERNAUSNET: Final = "config/recipes/ternausnet.yaml"
LINKNET34: Final = "config/recipes/linknet34.yaml"
UNET_SCRATCH: Final = "config/recipes/unet_scratch.yaml"
UNET_VGG11: Final = "config/recipes/unet_vgg11.yaml"

FOLDS: Final = "tests/golden/test_golden_folds.py::test_folds"
TRANSFORMS: Final = "tests/golden/test_golden_transforms.py::test_"
NETWORKS: Final = "tests/golden/test_golden_networks.py::test_"
TRAINING: Final = "tests/golden/test_golden_training.py::test_"
PREDICTION: Final = "tests/golden/test_golden_prediction.py::test_"
POST: Final = "tests/golden/test_golden_post.py::test_"
WIRING: Final = "tests/training/test_run.py::test_a_training_is_of_what_its_conditions_and_images_say"


@dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        name: what is wrong with it.
        file: the file changed, from the repository's root.
        old: the text replaced, which occurs in the file once.
        new: what replaces it.
        caught_by: the test that must fail: the cheapest one that does.
    """

    name: str
    file: str
    old: str
    new: str
    caught_by: str


MUTANTS: Final = (
    # --- folds
    Mutant(
        "a car is trained and judged on",
        "src/carvana/training/split.py",
        "if folds[record.car] != fold and",
        "if (folds[record.car] != fold or record.view == 16) and",
        f"{FOLDS}[ternausnet]",
    ),
    Mutant(
        "folds are consecutive ranks",
        "src/carvana/folds.py",
        "rank % number for rank",
        "rank * number // len(ranked) for rank",
        f"{FOLDS}[linknet34_fma_s44]",
    ),
    Mutant(
        "area7: every class begins the random stream anew",
        "src/carvana/folds.py",
        "_shuffled_k_fold(max(len(members), number), number, generator)",
        "_shuffled_k_fold(max(len(members), number), number, np.random.RandomState(_AUTHORS_SEED))",
        f"{FOLDS}[unet_vgg11]",
    ),
    # --- pre-processing
    Mutant(
        "ternausnet: BGR for RGB",
        "src/carvana/transforms/ternaus.py",
        "joined(image_HWC, mask_HW * np.uint8(255), reverse_channels=True)",
        "joined(image_HWC, mask_HW * np.uint8(255))",
        f"{TRANSFORMS}ternaus_loading",
    ),
    Mutant(
        "linknet34: RGB for BGR",
        "src/carvana/transforms/albu.py",
        "return zeros_right(self._equalised(image_HWC))",
        "return zeros_right(self._equalised(image_HWC)[..., ::-1].copy())",
        f"{TRANSFORMS}albu_prediction",
    ),
    Mutant(
        "unet_*: BGR for RGB",
        "src/carvana/transforms/asanakoy.py",
        "resize_bilinear(rgb_of_bgr(image_HWC), self.size)",
        "resize_bilinear(image_HWC, self.size)",
        f"{TRANSFORMS}asanakoy_validation_and_prediction",
    ),
    Mutant(
        "ImageNet's mean in the order of BGR",
        "src/carvana/transforms/inputs.py",
        "np.array([0.485, 0.456, 0.406], np.float32)",
        "np.array([0.406, 0.456, 0.485], np.float32)",
        f"{TRANSFORMS}ternaus_validation_and_prediction",
    ),
    Mutant(
        "ternausnet: the border repeats the edge",
        SPATIAL,
        "0, 0, 1, 1, cv2.BORDER_REFLECT_101",
        "0, 0, 1, 1, cv2.BORDER_REFLECT",
        f"{TRANSFORMS}ternaus_loading",
    ),
    Mutant(
        "linknet34: the border at both sides",
        SPATIAL,
        "0, 0, 0, ZERO_COLUMNS, cv2.BORDER_CONSTANT",
        "0, 0, 1, 1, cv2.BORDER_CONSTANT",
        f"{TRANSFORMS}albu_border",
    ),
    Mutant(
        "linknet34: CLAHE after the border",
        "src/carvana/transforms/albu.py",
        "return zeros_right(self._equalised(image_HWC))",
        "return self._equalised(zeros_right(image_HWC))",
        f"{TRANSFORMS}albu_prediction",
    ),
    Mutant(
        "linknet34: another clip limit of CLAHE",
        LINKNET34,
        "clip_limit: {value: 2.0",
        "clip_limit: {value: 4.0",
        f"{TRANSFORMS}albu_prediction",
    ),
    Mutant(
        "unet_*: OpenCV's resizing for Pillow's",
        SPATIAL,
        "    return np.array(image.resize((width, height), PillowImage.Resampling.BILINEAR))",
        "    return np.asarray(cv2.resize(array, (width, height)), np.uint8)",
        f"{TRANSFORMS}asanakoy_resizing",
    ),
    # --- augmentation
    Mutant(
        "the hue wraps",
        HSV,
        "np.rint([value, saturation, hue])",
        "np.rint([value, saturation, hue % 180])",
        f"{TRANSFORMS}ternaus_hsv_shift",
    ),
    Mutant(
        "HSV shifts are truncated",
        HSV,
        "np.rint([value, saturation, hue])",
        "np.trunc([value, saturation, hue])",
        f"{TRANSFORMS}ternaus_hsv_shift",
    ),
    Mutant(
        "HSV to BGR as OpenCV 4 does it",
        HSV,
        "    return np.stack([np.rint(",
        "    hue_HW = np.full((256, 256), hue, np.uint8)\n"
        "    rows_HW, columns_HW = np.indices((256, 256), np.uint8)\n"
        "    return cv2.cvtColor(np.dstack([hue_HW, rows_HW, columns_HW]), cv2.COLOR_HSV2BGR)\n"
        "    return np.stack([np.rint(",
        f"{TRANSFORMS}ternaus_hsv_shift",
    ),
    Mutant(
        "HSV to BGR as OpenCV 4 does it with floats",
        HSV,
        "    return np.stack([np.rint(",
        "    hue_HW = np.full((256, 256), 2 * hue, np.float32)\n"
        "    rows_HW, columns_HW = np.indices((256, 256), np.float32) / np.float32(255)\n"
        "    bgr_HWC = cv2.cvtColor(np.dstack([hue_HW, rows_HW, columns_HW]), cv2.COLOR_HSV2BGR)\n"
        "    return np.rint(bgr_HWC * 255).astype(np.uint8)\n"
        "    return np.stack([np.rint(",
        f"{TRANSFORMS}ternaus_hsv_shift",
    ),
    Mutant(
        "ternausnet: the HSV shift's channels in their own order",
        "src/carvana/transforms/ternaus.py",
        "image_HWC = shift_hsv(image_HWC, *draw.hsv)",
        "image_HWC = rgb_of_bgr(shift_hsv(rgb_of_bgr(image_HWC), *draw.hsv))",
        f"{TRANSFORMS}ternaus_training_goes_through_the_same",
    ),
    Mutant(
        "grey car: a plain mean of the channels",
        COLOUR,
        "((4899 * red + 9617 * green + 1868 * blue + 8192) >> 14)",
        "((red + green + blue) // 3)",
        f"{TRANSFORMS}ternaus_grey_car",
    ),
    Mutant(
        "linknet34: the shift is rounded after it is scaled",
        LINKNET34,
        "shift_rounded_before_scaling: {value: true",
        "shift_rounded_before_scaling: {value: false",
        f"{TRANSFORMS}albu_shift_scale_rotate",
    ),
    Mutant(
        "unet_*: the shift is rounded before it is scaled",
        "src/carvana/transforms/asanakoy.py",
        "round(rng.uniform(-spec.shift, spec.shift) * width)",
        "round(rng.uniform(-spec.shift, spec.shift)) * width",
        f"{TRANSFORMS}asanakoy_whole_training_transform",
    ),
    Mutant(
        "the rotation turns the other way",
        SPATIAL,
        "[[cosine, -sine], [sine, cosine]]",
        "[[cosine, sine], [-sine, cosine]]",
        f"{TRANSFORMS}albu_shift_scale_rotate",
    ),
    Mutant(
        "the warp's border repeats the edge",
        SPATIAL,
        "borderMode=cv2.BORDER_REFLECT_101",
        "borderMode=cv2.BORDER_REFLECT",
        f"{TRANSFORMS}albu_shift_scale_rotate",
    ),
    Mutant(
        "linknet34: brightness is rounded",
        COLOUR,
        "beta=below - 0.5",
        "beta=0",
        f"{TRANSFORMS}albu_brightness",
    ),
    Mutant(
        "unet_*: colours are rounded to 8 bits",
        COLOUR,
        "floats *= 255\n    return floats.astype(np.uint8)",
        "return np.rint(floats * 255).astype(np.uint8)",
        f"{TRANSFORMS}asanakoy_whole_training_transform",
    ),
    Mutant(
        "unet_*: luminance with RGB's weights",
        COLOUR,
        "np.array([0.114, 0.587, 0.299])",
        "np.array([0.299, 0.587, 0.114])",
        f"{TRANSFORMS}asanakoy_grey",
    ),
    Mutant(
        "unet_*: contrast about a third of the mean luminance",
        COLOUR,
        "return float(LUMINANCE @ sums)",
        "return float(LUMINANCE @ sums) / 3",
        f"{TRANSFORMS}asanakoy_colour",
    ),
    Mutant(
        "unet_*: the mask's edge is cut before the warp",
        "src/carvana/transforms/asanakoy.py",
        "both_HW4 = prepared_HW4\n",
        "both_HW4 = prepared_HW4.copy()\n        both_HW4[..., 3] = 255 * (both_HW4[..., 3] > 128)\n",
        f"{TRANSFORMS}asanakoy_whole_training_transform",
    ),
    Mutant(
        "unet_vgg11: colours change after epoch 15 too",
        UNET_VGG11,
        "from_epoch: {value: 15",
        "from_epoch: {value: 16",
        f"{TRANSFORMS}asanakoy_whole_training_transform",
    ),
    Mutant(
        "unet_scratch: grey cars twice as often",
        UNET_SCRATCH,
        "grey_probability: {value: 0.25",
        "grey_probability: {value: 0.5",
        "tests/transforms/test_asanakoy.py::test_probabilities_and_ranges",
    ),
    Mutant(
        "linknet34: HSV before brightness",
        "src/carvana/transforms/albu.py",
        "        if draw.brightness is not None:\n"
        "            image_HWC = scale_brightness_8_bits(image_HWC, draw.brightness)\n"
        "        if draw.hsv:\n"
        "            image_HWC = shift_hsv(image_HWC, *draw.hsv)\n",
        "        if draw.hsv:\n"
        "            image_HWC = shift_hsv(image_HWC, *draw.hsv)\n"
        "        if draw.brightness is not None:\n"
        "            image_HWC = scale_brightness_8_bits(image_HWC, draw.brightness)\n",
        "tests/transforms/test_albu.py::test_order",
    ),
    Mutant(
        "linknet34: the warped mask is cut at a half",
        "src/carvana/transforms/albu.py",
        "return image_HWC, mask_HW\n",
        "return image_HWC, np.uint8(255) * (mask_HW > 127)\n",
        "tests/transforms/test_albu.py::test_mask_goes_with_the_image",
    ),
    # --- networks
    Mutant(
        "transposed convolutions begin as today",
        "src/carvana/networks/initialisation.py",
        "module.in_channels * math.prod",
        "module.weight.shape[1] * math.prod",
        "tests/networks/test_initialisation.py::test_transposed_convolution_is_uniform_by_its_inputs_not_its_outputs",
    ),
    Mutant(
        "batch norm begins as today",
        "src/carvana/networks/initialisation.py",
        "_uniform(module.weight, 0, 1, generator)",
        "module.weight.fill_(1)",
        "tests/networks/test_initialisation.py::test_batch_norm_begins_between_0_and_1",
    ),
    Mutant(
        "ternausnet: skips come first",
        "src/carvana/networks/ternausnet.py",
        "torch.cat([up, level5], 1)",
        "torch.cat([level5, up], 1)",
        f"{NETWORKS}ternausnet_forward",
    ),
    Mutant(
        "unet_vgg11: skips come first",
        "src/carvana/networks/vgg_unet.py",
        "torch.cat([up, level2], 1)",
        "torch.cat([level2, up], 1)",
        f"{NETWORKS}unet_forward[unet_vgg11]",
    ),
    Mutant(
        "unet_scratch: skips come second",
        "src/carvana/networks/unet.py",
        "torch.cat([skip_NCHW, up], 1)",
        "torch.cat([up, skip_NCHW], 1)",
        f"{NETWORKS}unet_forward[unet_scratch]",
    ),
    Mutant(
        "unet_scratch: corners are not aligned",
        "src/carvana/networks/unet.py",
        "upsampled(x_NCHW, (height, width))",
        "nn.functional.interpolate(x_NCHW, size=(height, width), mode='bilinear', align_corners=False)",
        f"{NETWORKS}unet_forward[unet_scratch]",
    ),
    # --- trainings on smaller GPUs
    Mutant(
        "activations computed twice: running statistics move twice",
        "src/carvana/networks/regions.py",
        "return nullcontext(), _statistics_kept(computing)",
        "return nullcontext(), nullcontext()",
        "tests/training/test_slices.py::test_linknet34_computed_twice_has_the_same_bits_and_its_statistics_move_once",
    ),
    Mutant(
        "a divided batch: the other devices' gradients are forgotten",
        "src/carvana/training/slices.py",
        "one + other.to(ctx.home)",
        "one",
        "tests/training/test_slices.py::test_more_devices_than_images_leave_some_idle",
    ),
    # --- losses and rates
    Mutant(
        "ternausnet: dice of each image",
        "src/carvana/losses/ternaus.py",
        "    intersection = (probabilities_N1HW * masks_N1HW).sum()\n"
        "    return 2 * intersection / (probabilities_N1HW.sum() + masks_N1HW.sum() + epsilon)",
        "    intersection = (probabilities_N1HW * masks_N1HW).sum((1, 2, 3))\n"
        "    total = (probabilities_N1HW + masks_N1HW).sum((1, 2, 3))\n"
        "    return (2 * intersection / (total + epsilon)).mean()",
        f"{NETWORKS}ternaus_loss",
    ),
    Mutant(
        "linknet34: dice almost without smoothing",
        LINKNET34,
        "smooth: {value: 1.0",
        "smooth: {value: 1.0e-3",
        f"{NETWORKS}albu_loss",
    ),
    Mutant(
        "linknet34: dice's smoothing counts once",
        "src/carvana/losses/albu.py",
        "2 * (intersection + smooth)",
        "(2 * intersection + smooth)",
        f"{NETWORKS}albu_loss",
    ),
    Mutant(
        "unet_*: the weights of a batch are not normalised",
        "src/carvana/losses/asanakoy.py",
        "return weights * (weights.numel() / weights.sum())",
        "return weights",
        f"{NETWORKS}asanakoy_loss",
    ),
    Mutant(
        "unet_*: weights are normalised for each image",
        "src/carvana/losses/asanakoy.py",
        "return weights * (weights.numel() / weights.sum())",
        "return weights / weights.mean((1, 2, 3), keepdim=True)",
        f"{NETWORKS}asanakoy_loss",
    ),
    Mutant(
        "unet_*: zeros outside the image do not count",
        "src/carvana/losses/asanakoy.py",
        "    margin = kernel // 2\n",
        "    margin = kernel // 2\n"
        "    return functional.avg_pool2d(masks_N1HW, kernel, stride=1, padding=margin, count_include_pad=False)\n",
        # No car of the golden values reaches the image's edge.
        "tests/losses/test_asanakoy.py::test_weights_by_the_local_mean_with_zeros_outside_scaled_over_the_batch",
    ),
    Mutant(
        "unet_vgg11: at full size the weights' window is that of half the size",
        UNET_VGG11,
        "1024: 41",
        "1024: 21",
        "tests/losses/test_asanakoy.py::test_the_window_goes_by_the_masks_height",
    ),
    Mutant(
        "unet_*: dice with plain weights",
        "src/carvana/losses/asanakoy.py",
        "squared = weights_N1HW * weights_N1HW",
        "squared = weights_N1HW",
        f"{NETWORKS}asanakoy_loss",
    ),
    Mutant(
        "ternausnet: epochs are counted from 0",
        TERNAUSNET,
        "first_epoch: {value: 1",
        "first_epoch: {value: 0",
        f"{NETWORKS}learning_rates[ternausnet-ternausnet-lr]",
    ),
    Mutant(
        "linknet34: the rates restart an epoch late",
        LINKNET34,
        "restart: {value: 23",
        "restart: {value: 24",
        f"{NETWORKS}learning_rates[linknet34_fma_s44-linknet34-lr]",
    ),
    Mutant(
        "unet_*: the rate falls an epoch late",
        "src/carvana/schedules/asanakoy.py",
        "position >= milestone",
        "position > milestone",
        f"{NETWORKS}learning_rates[unet_vgg11-asanakoy-lr_vgg]",
    ),
    # --- training
    Mutant(
        "today's Adam",
        "src/carvana/optimizers.py",
        "return Adam2017(parameters, learning_rate)",
        "return torch.optim.Adam(parameters, learning_rate)",
        f"{TRAINING}ternausnet",
    ),
    Mutant(
        "ternausnet: Adam keeps its moments",
        TERNAUSNET,
        "renewed: {value: every_epoch",
        "renewed: {value: never",
        f"{TRAINING}ternausnet",
    ),
    Mutant(
        "ternausnet: the loss is not multiplied by the batch's size",
        TERNAUSNET,
        "gradient_scale: {value: batch",
        "gradient_scale: {value: mean",
        f"{TRAINING}ternausnet",
    ),
    Mutant(
        "linknet34: no hard negatives",
        LINKNET34,
        "hard_negative_period: {value: 10",
        "hard_negative_period: {value: null",
        f"{TRAINING}linknet34[-linknet34_f04a_clahe-adam]",
    ),
    Mutant(
        "linknet34: the hard negative is forgotten at an epoch's end",
        LOOP,
        "    memory = state.hard_negatives\n",
        "    memory = state.hard_negatives and HardNegatives(state.hard_negatives.period)\n",
        f"{TRAINING}linknet34[-linknet34_f04a_clahe-adam]",
    ),
    Mutant(
        "linknet34: gradients are not clipped",
        LINKNET34,
        "clip_norm: {value: 1.0",
        "clip_norm: {value: null",
        f"{TRAINING}linknet34_gradient_clipping",
    ),
    Mutant(
        "linknet34: judged in training mode",
        LINKNET34,
        "batch_norm: {value: running",
        "batch_norm: {value: batch",
        f"{TRAINING}linknet34[-linknet34_f04a_clahe-adam]",
    ),
    Mutant(
        "linknet34: figures with the border",
        LINKNET34,
        "border: {value: 6",
        "border: {value: 0",
        f"{TRAINING}linknet34[-linknet34_f04a_clahe-adam]",
    ),
    Mutant(
        "linknet34: Adam for RMSprop",
        LINKNET34,
        "name: {value: rmsprop",
        "name: {value: adam",
        f"{TRAINING}linknet34[-linknet34_f04a_clahe_rmsprop-rmsprop]",
    ),
    Mutant(
        "unet_*: gradients are averaged over 4",
        LOOP,
        "else 1\n    (scale * terms",
        "else 1 / training.accumulate\n    (scale * terms",
        f"{TRAINING}unets[unet_vgg11]",
    ),
    Mutant(
        "unet_*: steps after images 3, 7, ...",
        LOOP,
        "number % recipe.training.accumulate == 0",
        "(number + 1) % recipe.training.accumulate == 0",
        f"{TRAINING}unets[unet_vgg11]",
    ),
    Mutant(
        "unet_*: gradients left at an epoch's end are kept",
        LOOP,
        "    if not place.batches:\n        state.optimizer.zero_grad(set_to_none=True)\n",
        "",
        "tests/training/test_loop.py::test_gradients_left_at_an_epochs_end_are_dropped",
    ),
    Mutant(
        "unet_*: corners are not aligned in validation",
        "src/carvana/training/validation.py",
        "upsampled(output_N1HW, (height, width))",
        "torch.nn.functional.interpolate(output_N1HW, size=(height, width), mode='bilinear', align_corners=False)",
        f"{TRAINING}unets[unet_vgg11]",
    ),
    Mutant(
        "unet_scratch: judged in evaluation mode",
        UNET_SCRATCH,
        "batch_norm: {value: batch",
        "batch_norm: {value: running",
        f"{TRAINING}unets[unet_scratch]",
    ),
    Mutant(
        "unet_scratch: no weight decay",
        UNET_SCRATCH,
        "weight_decay: {value: 5.0e-4",
        "weight_decay: {value: 0.0",
        f"{TRAINING}unets[unet_scratch]",
    ),
    # --- prediction
    Mutant(
        "linknet34: the mirror is averaged after the sigmoid",
        "src/carvana/prediction/maps.py",
        "mirror_mean(forward, images_N3HW) if",
        "mirror_mean(lambda images: forward(images).sigmoid(), images_N3HW).logit() if",
        f"{PREDICTION}linknet34_probabilities_with_the_mirror",
    ),
    Mutant(
        "linknet34: no mirror",
        LINKNET34,
        "mirror: {value: true",
        "mirror: {value: false",
        f"{PREDICTION}linknet34_probabilities_with_the_mirror",
    ),
    Mutant(
        "unet_*: corners are not aligned in prediction",
        "src/carvana/prediction/restore.py",
        "upsampled(output_N1HW, size_HW)",
        "torch.nn.functional.interpolate(output_N1HW, size=size_HW, mode='bilinear', align_corners=False)",
        f"{PREDICTION}unet_stored_maps[unet_vgg11]",
    ),
    Mutant(
        "unet_vgg11: maps are truncated, not rounded",
        UNET_VGG11,
        "prediction:\n  mirror: {value: false, source: script}\n  to_8_bits: {value: round",
        "prediction:\n  mirror: {value: false, source: script}\n  to_8_bits: {value: truncate",
        f"{PREDICTION}unet_stored_maps[unet_vgg11]",
    ),
    Mutant(
        "ternausnet: maps are rounded, not truncated",
        TERNAUSNET,
        "prediction:\n  mirror: {value: false, source: script}\n  to_8_bits: {value: truncate",
        "prediction:\n  mirror: {value: false, source: script}\n  to_8_bits: {value: round",
        f"{PREDICTION}ternausnet_stored_map",
    ),
    Mutant(
        "ternausnet: the border is cut at the right",
        "src/carvana/prediction/restore.py",
        'left = (output_N1HW.shape[3] - width) // 2 if border == "reflect_both_sides" else 0',
        "left = 0",
        f"{PREDICTION}ternausnet_stored_map",
    ),
    # --- merging, ensemble, submission
    Mutant(
        "linknet34: the merge is rounded, not truncated",
        LINKNET34,
        "merge:\n  to_8_bits: {value: truncate",
        "merge:\n  to_8_bits: {value: round",
        f"{POST}merges",
    ),
    Mutant(
        "unet_scratch: the merge is truncated, not rounded",
        UNET_SCRATCH,
        "merge:\n  to_8_bits: {value: round",
        "merge:\n  to_8_bits: {value: truncate",
        f"{POST}merges",
    ),
    Mutant(
        "unet_vgg11: the rounded mean is compared with 128",
        UNET_VGG11,
        "of: {value: mean",
        "of: {value: merged",
        f"{POST}mask_of_the_unrounded_mean",
    ),
    Mutant(
        "ensemble: the rounded mean is compared with 128",
        "src/carvana/maps/postprocess.py",
        "Ensembled(mean_HW >= THRESHOLD,",
        "Ensembled(np.rint(mean_HW) >= THRESHOLD,",
        f"{POST}ensemble[6]",
    ),
    Mutant(
        "unreliable top: an erosion by 55 x 55",
        "src/carvana/maps/postprocess.py",
        "kernel = np.ones((iterations + 1, 1), np.uint8)\n"
        "    return cv2.erode(mask_HW, kernel, anchor=(0, iterations))",
        "kernel = np.ones((55, 55), np.uint8)\n    return cv2.erode(mask_HW, kernel, iterations=iterations)",
        f"{POST}erosion",
    ),
    Mutant(
        "unreliable top: without margin",
        "src/carvana/maps/postprocess.py",
        "margin = geometry.length(BOX_MARGIN)",
        "margin = 0",
        f"{POST}ensemble[0]",
    ),
    Mutant(
        "unreliable top: linknet34's map is cut at a half",
        "src/carvana/maps/postprocess.py",
        "BOX_THRESHOLD: Final = 55",
        "BOX_THRESHOLD: Final = 127",
        f"{POST}ensemble[0]",
    ),
    Mutant(
        "unreliable top: no hull",
        "src/carvana/maps/postprocess.py",
        "cv2.fillPoly(car_HW, [cv2.convexHull(contour)], 255)",
        "cv2.fillPoly(car_HW, [contour], 255)",
        f"{POST}ensemble[0]",
    ),
    Mutant(
        "run-length encoding column by column",
        "src/carvana/mask_runs.py",
        "pixels = mask_HW.ravel()",
        'pixels = mask_HW.ravel(order="F")',
        f"{POST}rle",
    ),
    Mutant(
        "first and last pixel are not forced to 0",
        "src/carvana/rle.py",
        "return encode(force_corners_off(mask_HW))",
        "return encode(mask_HW)",
        f"{POST}rle",
    ),
    # --- from the pieces to a training and a prediction
    Mutant(
        "ImageNet weights are not loaded",
        "src/carvana/training/run.py",
        "        load_encoder(network, encoder, encoder_weights)",
        "        pass",
        "tests/test_encoder_weights.py::"
        "test_a_training_begins_with_the_encoder_of_its_file_and_random_weights_elsewhere[ternausnet-vgg11]",
    ),
    Mutant(
        "encoders begin at random whatever is asked for",
        "src/carvana/training/run.py",
        "initial_network(recipe, draws, conditions.encoder_weights)",
        "initial_network(recipe, draws, None)",
        WIRING,
    ),
    Mutant(
        "pseudo-labelled images are not trained on",
        "src/carvana/training/run.py",
        "conditions.fold, excluded, added)",
        "conditions.fold, excluded)",
        WIRING,
    ),
    Mutant(
        "images that a user leaves out are trained on",
        "src/carvana/training/run.py",
        "conditions.fold, excluded, added)",
        "conditions.fold, pseudo_labelled=added)",
        WIRING,
    ),
    Mutant(
        "what is learnt, not what is validated, chooses the epoch",
        LOOP,
        "state.best.offer(recipe.selection, valid, epoch)",
        "state.best.offer(recipe.selection, train, epoch)",
        "tests/training/test_loop.py::test_the_validation_chooses_the_epoch_not_the_training",
    ),
    Mutant(
        "prediction in training mode",
        "src/carvana/prediction/networks.py",
        "return network.eval()",
        "return network.train()",
        "tests/prediction/test_run.py::test_networks_predict_in_evaluation_mode",
    ),
    Mutant(
        "no image is normalised in prediction",
        "src/carvana/prediction/pipeline.py",
        "network_input(on_device_1HWC, transforms.normalised)",
        "network_input(on_device_1HWC, False)",
        "tests/prediction/test_run.py::test_images_are_normalised_where_the_author_did[unet_vgg11-True]",
    ),
    Mutant(
        "a GPU's convolutions are rounded to tf32 whatever is asked for",
        "src/carvana/computing/runtime.py",
        'torch.backends.cudnn.allow_tf32 = precision == "tf32"',
        "torch.backends.cudnn.allow_tf32 = True",
        "tests/computing/test_runtime.py::test_a_gpu_rounds_to_tf32_only_where_asked_to[exact]",
    ),
)
