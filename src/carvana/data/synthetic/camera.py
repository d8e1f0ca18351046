"""From painted faces to pixels: one fixed camera, one light, the nearest face wins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from carvana.arrays import Doubles, Image, Pixels
from carvana.data.synthetic.solids import Face

# The camera stands this far before the turntable's middle and this high, and looks at a point this high.
DISTANCE: Final = 7.6
HEIGHT: Final = 1.75
TARGET_HEIGHT: Final = 0.78
# Focal length as a share of the picture's width.
FOCAL: Final = 1.09

# Edges are drawn this many times finer than the picture, in each direction, and averaged.
FINER: Final = 4
# Positions are rounded to 1/256 of a fine pixel: far coarser than what floating point leaves to the machine.
_SHIFT: Final = 8

# Light from above, a little from the left and from behind the camera; unit vectors.
_LIGHT: Final = (-0.36, -0.48, 0.8)


@dataclass(frozen=True)
class Layer:
    """What is drawn over a background.

    Attributes:
        colour: (h, w, 3) uint8 RGB, already multiplied by the coverage.
        coverage: (h, w) uint8, 255 where the faces cover the whole pixel.
        window: rows and columns of the picture that the two arrays are; the rest is not covered.
    """

    colour: Image
    coverage: Pixels
    window: tuple[slice, slice]

    def over(self, background_HWC: Image) -> Image:
        """The background with the layer on it."""
        result_HWC = background_HWC.copy()
        see_through_HW1 = 255 - self.coverage[..., None].astype(np.uint16)
        behind_HWC = (background_HWC[self.window] * see_through_HW1 + 127) // 255
        result_HWC[self.window] = np.minimum(behind_HWC + self.colour, 255).astype(np.uint8)
        return result_HWC

    def whole_coverage(self, size_HW: tuple[int, int]) -> Pixels:
        """(H, W) uint8 coverage of the whole picture."""
        whole_HW = np.zeros(size_HW, np.uint8)
        whole_HW[self.window] = self.coverage
        return whole_HW


class Camera:
    """The studio's camera for pictures of (H, W) pixels; world axes: x right, y away from the camera, z up."""

    def __init__(self, size_HW: tuple[int, int]) -> None:
        self.size_HW = size_HW
        slope = (HEIGHT - TARGET_HEIGHT) / DISTANCE
        self._cos = 1 / math.sqrt(1 + slope * slope)
        self._sin = slope * self._cos
        self._focal = FOCAL * size_HW[1] * FINER
        self._middle = (size_HW[1] * FINER / 2, size_HW[0] * FINER / 2)

    def seen(self, points_N3: Doubles) -> Doubles:
        """(N, 3): right, down and ahead of the camera, in metres."""
        x, y, z = points_N3[:, 0], points_N3[:, 1] + DISTANCE, points_N3[:, 2] - HEIGHT
        return np.stack([x, -y * self._sin - z * self._cos, y * self._cos - z * self._sin], axis=1)

    def project(self, points_N3: Doubles) -> Doubles:
        """(N, 2): column and row on the fine grid of points in the world."""
        return self._on_grid(self.seen(points_N3))

    def _on_grid(self, seen_N3: Doubles) -> Doubles:
        scale_N1 = self._focal / seen_N3[:, 2:]
        grid_N2: Doubles = np.round((seen_N3[:, :2] * scale_N1 + np.array(self._middle)) * 2**_SHIFT) / 2**_SHIFT
        return grid_N2

    def fill(self, polygons: Sequence[Doubles]) -> Pixels:
        """(H, W) uint8 coverage of flat polygons in the world, each (N, 3)."""
        fine_HW = np.zeros((self.size_HW[0] * FINER, self.size_HW[1] * FINER), np.uint8)
        for polygon_N3 in polygons:
            cv2.fillPoly(fine_HW, [_fixed_point(self.project(polygon_N3))], 255, shift=_SHIFT)
        return _averaged(fine_HW)

    def draw(self, faces: Sequence[Face], brightness: float = 1.0) -> Layer:
        """Draw faces that are given in the world."""
        corners_N3 = np.array([corner for face in faces for corner in face.corners])
        starts = np.cumsum([0, *(len(face.corners) for face in faces)])
        seen_N3 = self.seen(corners_N3)
        grid_N2 = self._on_grid(seen_N3)
        window = self._window(grid_N2)
        origin = np.array([window[1].start, window[0].start]) * FINER
        normals_F3, middles_F3 = _normals(seen_N3, starts)
        face_HW = _nearest_faces(
            grid_N2 - origin,
            starts,
            self._nearness(normals_F3, middles_F3, origin),
            ((window[0].stop - window[0].start) * FINER, (window[1].stop - window[1].start) * FINER),
        )
        palette = np.zeros((len(faces) + 1, 3), np.uint8)
        palette[1:] = self._shaded(faces, normals_F3, middles_F3, brightness)
        covered_HW = (face_HW > 0).astype(np.uint8) * np.uint8(255)
        return Layer(_averaged(palette[face_HW]), _averaged(covered_HW), window)

    def _nearness(self, normals_F3: Doubles, middles_F3: Doubles, origin: NDArray[np.int64]) -> Doubles:
        """(F, 3): 1 / distance of each face, which is linear on the fine grid: at the origin, per column, per row.

        It is (normal . ray) / (normal . point) with the ray through a grid point; 0 for a face seen edge-on.
        """
        plane_F = _dot(normals_F3, middles_F3)
        edge_on_F = np.abs(plane_F) < 1e-6
        slope_F3 = normals_F3 * np.where(edge_on_F, 0, 1 / np.where(edge_on_F, 1, plane_F))[:, None]
        per_column_F, per_row_F = slope_F3[:, 0] / self._focal, slope_F3[:, 1] / self._focal
        column, row = origin + 0.5 - np.array(self._middle)
        return np.stack([slope_F3[:, 2] + per_column_F * column + per_row_F * row, per_column_F, per_row_F], axis=1)

    def _window(self, grid_N2: Doubles) -> tuple[slice, slice]:
        """Rows and columns of the picture that hold the points."""
        low = np.maximum(np.floor(grid_N2.min(axis=0) / FINER).astype(int) - 1, 0)
        high = np.minimum(np.ceil(grid_N2.max(axis=0) / FINER).astype(int) + 1, self.size_HW[::-1])
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    def _shaded(self, faces: Sequence[Face], normals_F3: Doubles, middles_F3: Doubles, brightness: float) -> Pixels:
        """(F, 3) uint8 colours of the faces in the studio's light."""
        towards_F3 = -middles_F3 / np.sqrt(_dot(middles_F3, middles_F3))[:, None]
        # Both sides of a face are painted; the one that the camera sees is lit.
        facing_F3 = normals_F3 * np.where(_dot(normals_F3, towards_F3) < 0, -1.0, 1.0)[:, None]
        up_F = -facing_F3[:, 1] * self._cos - facing_F3[:, 2] * self._sin
        away_F = -facing_F3[:, 1] * self._sin + facing_F3[:, 2] * self._cos
        lit_F = facing_F3[:, 0] * _LIGHT[0] + away_F * _LIGHT[1] + up_F * _LIGHT[2]
        light_F = 0.52 + 0.34 * np.maximum(lit_F, 0) + 0.16 * up_F
        # What lies above the horizon mirrors the bright wall and ceiling, most at a glancing angle.
        glance_F = 1 - np.abs(_dot(facing_F3, towards_F3))
        gloss_F = np.array([face.paint.gloss for face in faces])
        mirrored_F = gloss_F * np.clip(0.12 + 0.9 * up_F, 0, 1) * (0.25 + 0.6 * glance_F * glance_F)
        paints_F3 = np.array([face.paint.colour for face in faces])
        shaded_F3 = paints_F3 * light_F[:, None] * (1 - mirrored_F[:, None]) + 238 * mirrored_F[:, None]
        colours_F3: Pixels = np.clip(np.round(shaded_F3 * brightness), 0, 255).astype(np.uint8)
        return colours_F3


def _nearest_faces(
    grid_N2: Doubles, starts: NDArray[np.int64], nearness_F3: Doubles, size_HW: tuple[int, int]
) -> NDArray[np.uint16]:
    """(H, W) uint16: 1 + the number of the nearest face at each grid point, 0 where there is none."""
    height, width = size_HW
    nearest_HW = np.zeros(size_HW, np.float32)
    face_HW = np.zeros(size_HW, np.uint16)
    corners_N2 = _fixed_point(grid_N2)
    lows_F2 = np.maximum(np.floor(np.minimum.reduceat(grid_N2, starts[:-1])) - 1, 0).astype(int)
    highs_F2 = np.minimum(np.ceil(np.maximum.reduceat(grid_N2, starts[:-1])) + 2, (width, height)).astype(int)
    columns_W, rows_H = np.arange(width), np.arange(height)
    for k, (at_origin, per_column, per_row) in enumerate(nearness_F3):
        (left, top), (right, bottom) = lows_F2[k], highs_F2[k]
        if left >= right or top >= bottom:
            continue
        part = (slice(top, bottom), slice(left, right))
        inside_HW = np.zeros((bottom - top, right - left), np.uint8)
        polygon_N2 = corners_N2[starts[k] : starts[k + 1]] - np.array((left << _SHIFT, top << _SHIFT), np.int32)
        cv2.fillPoly(inside_HW, [polygon_N2], 1, shift=_SHIFT)
        nearness_HW = (per_row * rows_H[top:bottom, None] + (at_origin + per_column * columns_W[left:right])).astype(
            np.float32
        )
        nearer_HW = inside_HW.view(np.bool_) & (nearness_HW > nearest_HW[part])
        np.copyto(nearest_HW[part], nearness_HW, where=nearer_HW)
        np.copyto(face_HW[part], np.uint16(k + 1), where=nearer_HW)
    return face_HW


def _dot(a_N3: Doubles, b_N3: Doubles) -> Doubles:
    """Row by row; not a matrix product, whose rounding depends on the machine."""
    return a_N3[:, 0] * b_N3[:, 0] + a_N3[:, 1] * b_N3[:, 1] + a_N3[:, 2] * b_N3[:, 2]


def _normals(corners_N3: Doubles, starts: NDArray[np.int64]) -> tuple[Doubles, Doubles]:
    """Unit normals (Newell's method, so corners may lie a little off a plane) and middles of polygons, each (F, 3)."""
    following = np.arange(1, len(corners_N3) + 1)
    following[starts[1:] - 1] = starts[:-1]
    a, b = corners_N3, corners_N3[following]
    cross_N3 = (a[:, [1, 2, 0]] - b[:, [1, 2, 0]]) * (a[:, [2, 0, 1]] + b[:, [2, 0, 1]])
    normals_F3 = np.add.reduceat(cross_N3, starts[:-1], axis=0)
    lengths_F = np.sqrt(_dot(normals_F3, normals_F3))
    normals_F3 /= np.maximum(lengths_F, 1e-12)[:, None]
    middles_F3 = np.add.reduceat(corners_N3, starts[:-1], axis=0) / np.diff(starts)[:, None]
    return normals_F3, middles_F3


def _fixed_point(grid_N2: Doubles) -> NDArray[np.int32]:
    # OpenCV counts from pixel centres, the grid from the first pixel's corner.
    return np.round((grid_N2 - 0.5) * 2**_SHIFT).astype(np.int32)


def _averaged(fine: Pixels) -> Pixels:
    """Mean of each FINER x FINER block."""
    size = (fine.shape[1] // FINER, fine.shape[0] // FINER)
    return cv2.resize(fine, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
