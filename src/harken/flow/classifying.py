"""A customer's message -> what it is about, as everybody who asks is told: read first, then classified."""

from harken.classify.classifier import Classifier
from harken.domain.classification import Classification
from harken.flow.reading import understood
from harken.kit import spans


def classified(text: str, classifier: Classifier) -> Classification:
    """`text` as it came. Links and mentions say nothing about its matter and are left out."""
    places = spans.find_spans(text)
    reading, _ = understood(text, places, from_customer=True, with_mood=True)
    return classifier.classify(spans.clean(text, places), reading)
