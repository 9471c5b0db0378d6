"""A quick look at features that are kept in memory: scikit-learn's logistic regression and nearest neighbours."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tintype.data import Photos
from tintype.transfer.accuracy import Accuracy
from tintype.transfer.classes import ClassData, test_batches
from tintype.transfer.features import Features, layer_features
from tintype.transfer.session import Session

if TYPE_CHECKING:
    from tintype.transfer.linear import LinearRecipe


def quick_look(session: Session, data: ClassData, layers: Sequence[str], recipe: "LinearRecipe") -> dict[str, Any]:
    """Accuracy of each layer by the recipe's probe."""
    (known, classes), (asked, truth) = (features(session, layers, photos, recipe) for photos in (data.train, data.test))
    found = {}
    for layer in layers:
        count = Accuracy()
        count.add(torch.from_numpy(_answers(known[layer], classes, asked[layer], recipe)), torch.from_numpy(truth))
        found[layer] = count.summary()
    return found


def features(
    session: Session, layers: Sequence[str], photos: Photos, recipe: "LinearRecipe"
) -> tuple[dict[str, Features], NDArray[np.int64]]:
    """Pooled features of each layer, (N, D), and classes, (N,), of centred crops."""
    classes = []

    def pixels() -> Iterator[Tensor]:
        for batch in test_batches(photos, recipe.crop, recipe.scale[1], recipe.workers, 0, 1):
            classes.append(batch.classes.numpy())
            yield batch.pixels

    found = layer_features(session.subject, layers, pixels(), pooling=recipe.pooling, dimensions=recipe.dimensions)
    return found, np.concatenate(classes)


def _answers(
    known: NDArray[np.float32], classes: NDArray[np.int64], asked: NDArray[np.float32], recipe: "LinearRecipe"
) -> NDArray[np.float64]:
    """Probabilities of the classes, (N, classes)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if recipe.probe == "knn":
        model: Any = KNeighborsClassifier(min(recipe.neighbours, len(known)), metric="cosine", weights="distance")
    else:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / known.shape[1], max_iter=1000))
    model.fit(known, classes)
    scores = np.zeros((len(asked), classes.max() + 1))
    scores[:, model.classes_] = model.predict_proba(asked)
    return scores
