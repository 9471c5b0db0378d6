"""Recipes of segmentation."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tintype.recipes import Range, RecipeError
from tintype.recipes.blocks import Count, WholeNumber
from tintype.transfer.recipe import TransferRecipe


@dataclass(frozen=True)
class HypercolumnHead:
    """Larsson17's, trained at sampled points; arguments as of `tintype.networks.segmenter.HypercolumnSegmenter`.

    Attributes:
        fov: channels of the field-of-view blocks; 0 has none.
        points: pixels of each image that are trained on.
        edge: pixels along each side in which none are.
    """

    name: Literal["hypercolumn"]
    layers: tuple[str, ...] = ()
    width: Count = 1024
    dropout: Annotated[float, Range(0, 0.99)] = 0.5
    fov: WholeNumber = 0
    points: Count = 128
    edge: WholeNumber = 32


@dataclass(frozen=True)
class FCN32sHead:
    """Zhang16's: a 1x1 convolution on the trunk's last feature map, enlarged bilinearly; trained at all pixels.

    Attributes:
        padding: of the trunk's first layer; 0 leaves it as it is.
    """

    name: Literal["fcn32s"]
    padding: WholeNumber = 0


@dataclass(frozen=True, kw_only=True)
class SegmentRecipe(TransferRecipe):
    """A whole trunk fine-tuned to give every pixel its class.

    Attributes:
        classes: how many; of a VOC devkit 21.
        void: id of pixels that belong to no class.
        class_names: of them all; of a VOC devkit they are known.
        year, train_split, test_split: of a VOC devkit.
        crop: side of random squares; 0: whole images, one after the other.
        flip: whether half of the images are mirrored.
        save_masks: whether predicted masks of the test images are kept, in the run's folder `masks`.
    """

    task: Literal["segment"] = "segment"
    head: HypercolumnHead | FCN32sHead
    classes: Annotated[int, Range(2, 256)] = 21
    void: Annotated[int, Range(0, 255)] = 255
    class_names: tuple[str, ...] = ()
    year: Annotated[int, Range(2007)] = 2012
    train_split: str = "trainaug"
    test_split: str = "val"
    crop: WholeNumber = 448
    flip: bool = True
    save_masks: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_names and len(self.class_names) != self.classes:
            raise RecipeError(f"key 'class_names' has {len(self.class_names)} names for {self.classes} classes")
        if isinstance(self.head, HypercolumnHead):
            if not self.crop:
                raise RecipeError("key 'crop' is 0; head hypercolumn is trained at points of crops")
            if 2 * self.head.edge >= self.crop:
                raise RecipeError(f"key 'head.edge' is {self.head.edge}; it must be below half of crop ({self.crop})")
