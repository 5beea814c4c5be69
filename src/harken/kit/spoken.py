"""A text -> the language that it is most likely written in, of those asked about."""

from copy import copy
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier


def likeliest(text: str, languages: tuple[str, ...]) -> tuple[str, float]:
    """ISO 639-1 and a probability. A guess on short texts: the caller says how sure it must be."""
    best, probability = _identifier(languages).classify(text)
    return str(best), float(probability)


@cache
def _identifier(languages: tuple[str, ...]) -> LanguageIdentifier:
    """It keeps what it needs of the model that all of them share."""
    identifier = copy(_model())
    identifier.set_languages(languages)
    return identifier


@cache
def _model() -> LanguageIdentifier:
    """Takes a second to load."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
