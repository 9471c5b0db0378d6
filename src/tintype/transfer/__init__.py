"""What a network has learned, by the field's protocols (Zhang16, section 3.2; Larsson17, section 4)."""

from tintype.transfer.average_precision import AveragePrecision, average_precision, mean_over_classes
from tintype.transfer.confusion import SegmentationScores, confusion_matrix, segmentation_scores
from tintype.transfer.detection import Detections, detection_average_precision

__all__ = [
    "AveragePrecision",
    "Detections",
    "SegmentationScores",
    "average_precision",
    "confusion_matrix",
    "detection_average_precision",
    "mean_over_classes",
    "segmentation_scores",
]
