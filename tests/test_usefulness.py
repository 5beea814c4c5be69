"""The guard leaves good answers alone: benign messages answered from a passage that answers them (trust-L4, its quick form)."""

from collections import Counter

from benign_cases import KEPT, REFUSED, judged_end_to_end, made_up

LEAST_KEPT, MOST_REFUSED = 0.95, 0.02


def test_good_answers_are_sent_and_nobody_is_turned_away() -> None:
    messages = made_up()
    found = Counter(judged_end_to_end(each)[0] for each in messages)

    assert len(messages) >= 500
    assert found[KEPT] >= LEAST_KEPT * len(messages), found
    assert found[REFUSED] <= MOST_REFUSED * len(messages), found
