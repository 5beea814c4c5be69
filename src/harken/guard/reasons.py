"""Why a draft was not simply sent: the codes that people, figures and an organisation's rules share."""

from enum import StrEnum


class Reason(StrEnum):
    """One code for each thing that a check sees. Their outcomes stand in the rules file."""

    # Nothing of it may be shown.
    CANARY = "canary"  #: it repeats its own instructions
    OTHERS_DATA = "others_data"  #: an address or number that is neither this customer's nor the company's
    LINK = "link"  #: a place to go that stands in no cited passage
    RENDER = "render"  #: signs that a screen would obey instead of showing
    SECRET = "secret"  #: it asks for a password, a code or money
    CONTENT = "content"  #: indecent or abusive words

    # A person answers.
    EMPTY = "empty"  #: it says nothing
    REFUSAL = "refusal"  #: it says that it cannot help
    POLICY_ADVICE = "policy_advice"  #: advice that only professionals may give

    # A person approves.
    POLICY_PROMISE = "policy_promise"  #: money, compensation or a result is promised
    MISSING_DISCLOSURE = "missing_disclosure"  #: a sentence that the law wants is not there

    # A person looks.
    UNGROUNDED = "ungrounded"  #: a claim that no cited passage supports
    CONTRADICTS = "contradicts"  #: a claim that a cited passage denies
    NUMBER = "number"  #: a number, date or amount that stands nowhere, or with another unit
    NAME = "name"  #: a name that stands nowhere in the conversation
    UNCONFIRMED = "unconfirmed"  #: an address or number that only the customer wrote
    NO_PASSAGE = "no_passage"  #: claims, and nothing is cited for them
    INJECTED = "injected"  #: what it rests on gives orders to a machine
    TOKEN = "token"  #: a personal value still stands there as a token
    ACT = "act"  #: it says that something was done
    CHANNEL = "channel"  #: it speaks of a call or an e-mail that was not decided
    TIME = "time"  #: it says when we will act
    STATUS = "status"  #: it calls the issue closed, or somebody else's
    TONE = "tone"  #: blame, shouting, sarcasm, or no word of regret to an unhappy customer
    LANGUAGE = "language"  #: another language than the customer's
    LENGTH = "length"  #: longer than the channel carries

    # It clarifies, or a person looks.
    UNCOVERED = "uncovered"  #: the cited passages speak of too little of the question
    LOW_CONFIDENCE = "low_confidence"  #: the lower of the two confidences is below the least


NEVER_SENT = frozenset({Reason.CANARY, Reason.OTHERS_DATA, Reason.LINK, Reason.RENDER, Reason.SECRET, Reason.CONTENT})
"""No rules file makes these `send`, `clarify` or `suggest`."""


class Refusal(StrEnum):
    """Why a language model is not asked at all."""

    FRAUD = "fraud"
    MINOR = "minor"
    RESTRICTED = "restricted"  #: a topic that policy keeps from every model, for example sanctions
    INJECTION = "injection"
