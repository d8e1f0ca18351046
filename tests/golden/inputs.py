"""The inputs behind the golden files, as formulas: everything is NumPy's legacy RandomState, stable across releases."""

import zlib

import numpy as np

# VGG11 encoders name the same tensor twice; the values go by the `encoder.N` name.
ALIASES = {
    "conv1.": "encoder.0.",
    "conv2.": "encoder.3.",
    "conv3s.": "encoder.6.",
    "conv3.": "encoder.8.",
    "conv4s.": "encoder.11.",
    "conv4.": "encoder.13.",
    "conv5s.": "encoder.16.",
    "conv5.": "encoder.18.",
}


def parameter(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Value of the state-dict entry `name` (without any `module.` prefix)."""
    for alias, target in ALIASES.items():
        if name.startswith(alias):
            name = target + name[len(alias) :]
    rs = np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF)
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("running_var"):
        return (1 + 0.5 * rs.rand(*shape)).astype(np.float32)
    if name.endswith("running_mean"):
        return (0.1 * rs.randn(*shape)).astype(np.float32)
    if len(shape) == 1:
        return (float(name.endswith("weight")) + 0.1 * rs.randn(*shape)).astype(np.float32)
    values: np.ndarray = (rs.randn(*shape) * np.sqrt(2.0 / int(np.prod(shape[1:])))).astype(np.float32)
    return values


def smooth_image(seed: int, h: int, w: int) -> np.ndarray:
    """(h, w, 3) uint8: a bilinear random field of 16-pixel cells, plus noise of +-8."""
    rs = np.random.RandomState(seed)
    g = rs.randint(0, 256, (h // 16 + 2, w // 16 + 2, 3)).astype(np.float64)
    y, x = np.arange(h) / 16.0, np.arange(w) / 16.0
    y0, x0 = y.astype(int), x.astype(int)
    fy, fx = (y - y0)[:, None, None], (x - x0)[None, :, None]
    a, b, c, d = g[y0][:, x0], g[y0][:, x0 + 1], g[y0 + 1][:, x0], g[y0 + 1][:, x0 + 1]
    image = a * (1 - fy) * (1 - fx) + b * (1 - fy) * fx + c * fy * (1 - fx) + d * fy * fx
    values: np.ndarray = np.clip(np.floor(image + rs.randint(-8, 9, (h, w, 3))), 0, 255).astype(np.uint8)
    return values


def ellipse_mask(h: int, w: int, cy: float = 0.5, cx: float = 0.5, ry: float = 0.3, rx: float = 0.35) -> np.ndarray:
    """(h, w) uint8 of 0 and 1; centre and radii as fractions of h and w."""
    y, x = np.mgrid[0:h, 0:w]
    values: np.ndarray = (((y - cy * h) / (ry * h)) ** 2 + ((x - cx * w) / (rx * w)) ** 2 <= 1).astype(np.uint8)
    return values


def car_map(seed: int, grey: bool) -> np.ndarray:
    """(1280, 1918) uint8 probability map: an elliptical car and, if `grey`, an uncertain band at its top."""
    h, w = 1280, 1918
    rs = np.random.RandomState(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    cy, cx, ry, rx = 640 + 40 * rs.rand(), 940 + 60 * rs.rand(), 330 + 60 * rs.rand(), 620 + 80 * rs.rand()
    p = 1 / (1 + np.exp((np.sqrt(((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2) - 1) * 60.0))
    if grey:
        top, height, left, width = (
            int(cy - ry - 20),
            int(90 + 80 * rs.rand()),
            int(cx - 420),
            int(500 + 300 * rs.rand()),
        )
        level = 0.35 + 0.3 * rs.rand()
        box = (y >= top) & (y < top + height) & (x >= left) & (x < left + width)
        p = np.where(box, level + 0.12 * np.sin(x / 37.0) * np.cos(y / 23.0), p)
    values: np.ndarray = (np.clip(p, 0, 1) * 255).astype(np.uint8)
    return values


def ensemble_case(case: int, offset: int = 0) -> dict[str, np.ndarray]:
    """The four maps of case 0..6 of ensemble.json; `offset` is the golden set's seed offset.

    Case 6 has a patch whose mean, 127.75, is stored as 128 and is not mask."""
    maps = {}
    for j, (model, shift) in enumerate([("unet_scratch", 0), ("unet_vgg11", 3), ("linknet34", -4), ("ternausnet", 2)]):
        seed = offset + 1000 + case * 10 + (j if case == 4 else 0)
        grey = case in (0, 2, 4) or (case == 5 and model == "linknet34")
        maps[model] = np.clip(car_map(seed, grey).astype(int) + shift, 0, 255).astype(np.uint8)
        if case == 6:
            maps[model][700:760, 900:1000] = 127 if model == "unet_scratch" else 128
    return maps
