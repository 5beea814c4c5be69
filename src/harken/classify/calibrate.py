"""Scores of messages that were not trained on -> how sharp they may be read, and which of them speak of nothing we know."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harken.classify.ports import Floats, Whole

Doubles: TypeAlias = npt.NDArray[np.float64]

OUTSIDE_SHARE = 0.1
"""Of messages to a support desk, how many belong to no category: an assumption, for nobody's labels say it."""

_STEPS = 60
_RIDGE = 1e-2
_SHARPNESSES = np.geomspace(0.5, 40, 120)


def softmax(scores: Floats) -> Floats:
    lifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(lifted / lifted.sum(axis=-1, keepdims=True), np.float32)


def sharpness(scores: Floats, truth: Whole) -> float:
    """What scores are multiplied with so that the probability given to the truth is greatest (temperature scaling).

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    rows = np.arange(len(truth))
    losses = []
    for each in _SHARPNESSES:
        lifted = scores * each
        top = lifted.max(axis=1)
        logs = top + np.log(np.exp(lifted - top[:, None]).sum(axis=1))
        losses.append(float((logs - lifted[rows, truth]).mean()))
    return float(_SHARPNESSES[int(np.argmin(losses))])


def scope(inside: Floats, outside: Floats) -> tuple[float, ...]:
    """Weights of the signs in a logistic regression that tells inside from outside, by Newton's method."""
    signs = np.concatenate([inside, outside]).astype(np.float64)
    truth = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])
    weight = np.concatenate(
        [
            np.full(len(inside), (1 - OUTSIDE_SHARE) / len(inside)),
            np.full(len(outside), OUTSIDE_SHARE / len(outside)),
        ]
    )
    found = np.zeros(signs.shape[1])
    for _ in range(_STEPS):
        said = sigmoid(signs @ found)
        slope = signs.T @ (weight * (said - truth)) + _RIDGE / len(signs) * found
        curve = (signs * (weight * said * (1 - said))[:, None]).T @ signs
        found -= np.linalg.solve(curve + _RIDGE / len(signs) * np.eye(len(found)), slope)
    return tuple(float(each) for each in found)


def sigmoid(value: Doubles) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))))
