"""Facts and the time since the last word -> what the rules of status.py ask about a conversation, in their words."""

from dataclasses import dataclass

from harken.conversations.topics import GENERAL
from harken.domain.conversation import Facts
from harken.domain.event import Signal, Urgency

SILENCE_RESOLVES_AFTER_S = 72 * 3600
"""No word for so long after an answer: the customer has what they wanted."""

ABANDONED_AFTER_S = 14 * 86_400
"""No word for so long after our question: nobody waits for us any more."""

LAPSED_AFTER_S = 90 * 86_400
"""Nobody answered for so long: a word of ours would come out of the blue."""

WORDLESS = "wordless"
"""Evidence of a message that is all links, names and signs: nothing that could be read, and nothing unread."""

CALM_SENTIMENT = -100
"""In thousandths; from here up, words that name no problem are small talk."""

QUIET_TOPICS = frozenset({"praise_and_feedback", GENERAL})
"""A kind word about one of these asks for nothing; about any other it may hide a request."""

SOUR_SENTIMENT = -350
"""In thousandths; from here down somebody is unhappy, whatever the words."""

PLEASED_SENTIMENT = 300
"""Thanks that sound like this are meant, also where nobody has answered yet."""

# Plain integers: an operation of an IntFlag costs a microsecond, and every decision looks here.
_THANKS, _FIXED, _PRAISE = int(Signal.THANKS), int(Signal.CONFIRMS_FIX), int(Signal.PRAISE)
_UNHAPPY = int(Signal.ANGRY | Signal.STILL_BROKEN)
_DEMANDS = int(Signal.WANTS_PERSON | Signal.REGULATORY)
_ASKS = int(Signal.QUESTION) | _UNHAPPY | _DEMANDS
_WE_ASK, _PRIVATE = int(Signal.ASKS_DETAILS | Signal.MOVES_PRIVATE), int(Signal.MOVES_PRIVATE)
_DID_IT, _HEARD = int(Signal.DID_IT), int(Signal.ACKNOWLEDGES)
_SORRY, _FIX, _GOODBYE = int(Signal.APOLOGY), int(Signal.OFFERS_FIX), int(Signal.CLOSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How long a silence must be to mean something, in seconds. A policy may set its own."""

    resolves_after_s: int = SILENCE_RESOLVES_AFTER_S
    abandoned_after_s: int = ABANDONED_AFTER_S
    lapsed_after_s: int = LAPSED_AFTER_S


DEFAULT_SILENCE = Silence()


@dataclass(frozen=True, slots=True)
class View:
    """What a rule of the status may look at. Its questions are the rules' words."""

    facts: Facts
    quiet_s: int
    silence: Silence

    @property
    def theirs_is_last(self) -> bool:
        return self.facts.customer_spoke_last

    def last_says(self, signals: int) -> bool:
        """In the customer's last message, whoever spoke after it."""
        return bool(self.facts.last_customer_signals & signals)

    def still_asks(self) -> bool:
        """Their last message, or one that waits for our answer, asks, doubts or demands something."""
        return bool((self.facts.last_customer_signals | self.facts.unanswered_signals) & _ASKS)

    def fix_is_confirmed(self) -> bool:
        """Only the last message counts against it: a question before "never mind, works now" needs no answer."""
        demanded = self.facts.unanswered_signals & _DEMANDS
        return self.last_says(_FIXED) and not self.last_says(_ASKS) and not demanded

    def thanked(self) -> bool:
        """Thanks for something: a thank-you in the first message is manners."""
        first, last = self.facts.brand_at[:1], self.facts.last_customer_at
        answered = first and last and first[0] <= last
        return bool(answered and self.last_says(_THANKS) and not self.still_asks() and not self.presses())

    def presses(self) -> bool:
        """Thanks to a promise of haste are none: "thanks, I need it today"."""
        return self.facts.urgency >= Urgency.URGENT

    def kind_words_only(self) -> bool:
        """Praise, or thanks in a first message, that names no issue."""
        mood = self.facts.last_sentiment
        praised = self.last_says(_PRAISE) and (mood is None or mood > 0)
        thanked = self.last_says(_THANKS) and mood is not None and mood >= PLEASED_SENTIMENT
        return (praised or thanked) and self.names_no_issue()

    def names_no_issue(self) -> bool:
        quiet = self.facts.urgency == Urgency.NONE and self.facts.topic in QUIET_TOPICS
        return quiet and not self.still_asks()

    def small_talk(self) -> bool:
        """Never a problem in all the conversation, and no question of ours; English, or no words at all."""
        facts = self.facts
        worst = 0 if WORDLESS in facts.evidence else facts.worst_sentiment
        calm = worst is not None and worst >= CALM_SENTIMENT and not facts.all_customer_signals & _ASKS
        calm = calm and not facts.reopened
        return self.theirs_is_last and calm and not self.we_asked() and self.names_no_issue()

    def spoke_to_others(self) -> bool:
        """Who is upset, or asks for more than an answer, is heard all the same."""
        since = self.facts.bystander_since
        known = since is not None and self.facts.last_at + self.quiet_s >= since
        heated = self.facts.all_customer_signals & (_UNHAPPY | _DEMANDS)
        mood = self.facts.worst_sentiment
        sour = mood is not None and mood <= SOUR_SENTIMENT
        return known and not heated and not sour and self.facts.urgency == Urgency.NONE

    def wrote_in_private(self) -> bool:
        """They say that they wrote where we cannot see it; "done" says so after we asked for just that."""
        asked_for_it = self.facts.last_brand_signals & _PRIVATE
        told = self.last_says(_PRIVATE) or (asked_for_it and self.last_says(_DID_IT))
        return bool(self.theirs_is_last and told)

    def calm_in_private(self) -> bool:
        """Whoever is not pleased with the silence there is not taken for served."""
        mood = self.facts.last_sentiment
        return self.wrote_in_private() and not self.still_asks() and (mood is None or mood >= CALM_SENTIMENT)

    def acknowledged(self) -> bool:
        """ "Ok", "will do" to a word of ours."""
        answered = self.facts.brand_turns > 0 and self.theirs_is_last
        return answered and self.last_says(_HEARD) and not self.still_asks()

    def acknowledgement_holds(self) -> bool:
        return not (self.quiet_very_long() if self.we_asked() else self.quiet_long())

    def we_said_goodbye(self) -> bool:
        """After their thanks; "let us know if you need more" at a goodbye is no question, "send us a message" is one."""
        ours = self.facts.last_brand_signals
        return bool(ours & _GOODBYE) and not ours & _PRIVATE

    def we_asked(self) -> bool:
        return bool(self.facts.last_brand_signals & _WE_ASK)

    def only_sorry(self) -> bool:
        unhappy = self.last_says(_UNHAPPY)
        ours = self.facts.last_brand_signals
        return bool(unhappy and ours & _SORRY and not ours & _FIX)

    def quiet_long(self) -> bool:
        return self.quiet_s >= self.silence.resolves_after_s

    def quiet_very_long(self) -> bool:
        return self.quiet_s >= self.silence.abandoned_after_s

    def lapsed(self) -> bool:
        """Whoever spoke of a lawyer or asked for a person is not forgotten."""
        return self.quiet_s >= self.silence.lapsed_after_s and not self.facts.unanswered_signals & _DEMANDS
