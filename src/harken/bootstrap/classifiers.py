"""The wiring of the classifier: settings -> what was trained here, or the default that ships with Harken."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harken.adapters import embedders
from harken.bootstrap import library
from harken.classify import shipped
from harken.classify.classifier import Classifier
from harken.classify.fitted import Fitted, load_from
from harken.errors import UnsuitableError

if TYPE_CHECKING:
    from harken.classify.ports import Embedder
    from harken.settings import Settings

DEFAULT = "default"


def classifier_of(settings: "Settings", name: str = "") -> Classifier:
    """The one called `name`, else the one of the settings. Raises UnsuitableError where there is none of that name."""
    asked = name or settings.classifier
    folder = folder_of(settings, asked)
    if asked == DEFAULT and not folder.exists():
        return _default()
    fitted = load_from(folder)
    return Classifier(asked, fitted, _embedder(settings, fitted))


def folder_of(settings: "Settings", name: str) -> Path:
    return settings.home.absolute() / "classifiers" / name


def _embedder(settings: "Settings", fitted: Fitted) -> "Embedder":
    found = embedders.of_model(fitted.facts.embedder, settings.home.absolute(), library.endpoint_of(settings))
    if found is None:
        raise UnsuitableError(
            f"The classifier was fitted on vectors of {fitted.facts.embedder}, which cannot be asked here. Train it again, "
            "or bring that embedder back: harken models list."
        )
    return found


@cache
def _default() -> Classifier:
    """Always on WordLlama, which is part of the installation: the same everywhere, and nothing to fit."""
    return Classifier(DEFAULT, load_from(shipped.FOLDER), embedders.WordLlama())
