"""interim"""


def cut(hits, results, tokens):
    return hits[:results]
