"""Recipes of detection."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tintype.recipes import Range, RecipeError
from tintype.recipes.blocks import Count, Fraction, WholeNumber
from tintype.transfer.detect.predict import Keep
from tintype.transfer.detect.sampler import Quota
from tintype.transfer.detect.selective_search import Search
from tintype.transfer.recipe import TransferRecipe

IN_RUN = "run"


@dataclass(frozen=True, kw_only=True)
class DetectRecipe(TransferRecipe):
    """Fast R-CNN on a VOC devkit.

    Attributes:
        year: of the devkit.
        train, test: lists of ImageSets/Main.
        proposals: folder in which the boxes that are found are kept, for other runs too; `run`: the run's own. A folder
            with voc_YEAR_LIST.mat, as selective_search_data has them, gives the boxes itself.
        proposals_at_most: of a picture.
        proposals_min_side: pixels.
        search_longest: pixels of the longer side to which pictures are reduced to be searched; 0: as they are.
        layer: the feature map that regions are pooled from; `usual`: see `FastRCNN`.
        pooled: cells of a region's side; 0: as many as the layers above expect.
        rois: regions of a picture that are learned from.
        foreground: share of them that show objects.
        object_iou: overlap from which on they do.
        background_iou: [low, high): overlap of background.
        scales: pixels of the shorter side; each picture is seen at one of them, by chance.
        longest: pixels of the longer side, at most.
        flip: mirror half of the pictures.
        test_scale, test_longest: when testing.
        score: lowest probability of a detection.
        nms: overlap from which on the less sure of two detections of a class is dropped.
        per_picture: detections of a picture, at most.
        save_detections: write comp4_det_LIST_CLASS.txt, as the devkit reads them, into RUN/detections.
    """

    task: Literal["detect"] = "detect"
    year: Count = 2007
    train: str = "trainval"
    test: str = "test"
    proposals: str = IN_RUN
    proposals_at_most: Count = 2000
    proposals_min_side: WholeNumber = 16
    search_longest: WholeNumber = 500
    layer: str = "usual"
    pooled: WholeNumber = 0
    rois: Count = 64
    foreground: Fraction = 0.25
    object_iou: Annotated[float, Range(0, 1, open_low=True)] = 0.5
    background_iou: tuple[Fraction, ...] = (0.1, 0.5)
    scales: tuple[Annotated[int, Range(32)], ...] = (480, 576, 688, 864, 1200)
    longest: Annotated[int, Range(32)] = 2000
    flip: bool = True
    test_scale: Annotated[int, Range(32)] = 600
    test_longest: Annotated[int, Range(32)] = 1000
    score: Fraction = 0.05
    nms: Fraction = 0.3
    per_picture: WholeNumber = 100
    save_detections: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.background_iou) != 2 or not self.background_iou[0] < self.background_iou[1] <= self.object_iou:
            raise RecipeError(
                f"key 'background_iou' is {list(self.background_iou)}; it must be [low, high] with low < high <= "
                f"object_iou ({self.object_iou:g})"
            )
        if not self.scales:
            raise RecipeError("key 'scales' is []; it must have at least one number of pixels")

    @property
    def search(self) -> Search:
        return Search(self.proposals_at_most, self.proposals_min_side, self.search_longest)

    @property
    def quota(self) -> Quota:
        low, high = self.background_iou
        return Quota(self.rois, self.foreground, self.object_iou, (low, high))

    @property
    def keep_boxes(self) -> Keep:
        return Keep(self.score, self.nms, self.per_picture)
