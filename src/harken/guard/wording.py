"""The words by which a message promises, claims or contradicts: what the checks search for, in seven languages.

Lists of words never catch everything. They are the second line: the first is that a message cannot act, because
recipient, channel, time and status are set in code.
"""

import re


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


GREETING = re.compile(
    r"^\s*(?i:hi|hello|hey|dear|hallo|liebe[rs]?|guten tag|bonjour|cher|chère|hola|estimad[oa]|ciao|gentile|olá|beste)"
    r"[ ,]+([A-ZÀ-Þ][\w'’-]+)",
    re.MULTILINE,
)
"""The capitalised word after a greeting."""

NOT_NAMES = frozenset(
    re.findall(
        r"\w+",
        """there all everyone anda bisakah team support customer care service direct message we you thank thanks please sorry our your i
        and the this it could can may would if to what which when how in for with a an hi hello dear kind best regards warm
        guten tag monday tuesday wednesday thursday friday saturday sunday kunde kunden kundin mit freundlichen grüßen ihr ihre ihrer
        ihrem ihren sie ihnen wir bitte vielen dank nous vous merci client cliente equipo estimado estimada klant klantenservice""",
    )
)
"""Capitalised words that are no names."""

PROMISE = _any(
    r"refund\w*", r"reimburs\w*", r"compensat\w*", r"goodwill", r"voucher\w*", r"discount\w*", r"gift card\w*",
    r"\bwaive\w*", r"money back", r"free of charge", r"for free\b", r"free month\w*", r"guarantee\w*", r"\bcredit(?! card)\w*",
    r"legal advice", r"legally", r"lawsuit\w*", r"\b(?:can|could|should|may|to|will) sue\b", r"solicitor\w*", r"attorney\w*", r"entitled", r"liabilit\w*", r"\bliable\b",
    r"erstatt\w*", r"entschädig\w*", r"gutschrift\w*", r"rabatt\w*", r"kostenlos\w*", r"garantier\w*", r"rechtsberatung", r"anspruch",
    r"rembours\w*", r"indemnis\w*", r"dédommag\w*", r"réduction\w*", r"gratuit\w*", r"reembols\w*", r"devolver\w* el dinero",
    r"indemniz\w*", r"indeniz\w*", r"compens\w*", r"descuento\w*", r"desconto\w*", r"gratis\b", r"rimbors\w*", r"risarc\w*", r"sconto\w*",
    r"vergoed\w*", r"terugbeta\w*", r"schadeloos\w*", r"korting\w*", r"garant\w*",
)  # fmt: skip

_DID = (
    r"(?:refunded|credited|cancell?ed|reset|unlocked|unblocked|blocked|transferred|processed|issued|fixed|changed|updated|"
    r"replaced|shipped|removed|deleted|approved|verified|paid)"
)
DONE = _any(
    rf"\b(?:we|i|my colleagues?|our team)(?:'ve|’ve| have| has)?(?: now| just| already)? {_DID}\b",
    rf"\b(?:has|have|was|were) (?:now |just |already )?been {_DID}\b",
    r"\bhabe[n]? (?:\S+ ){0,6}(?:erstattet|storniert|zurückgesetzt|entsperrt|überwiesen|geändert|gelöscht)\b",
    r"\b(?:avons|a été|ont été) (?:\S+ )?(?:remboursé|annulé|réinitialisé|débloqué|modifié|supprimé)\w*",
    r"\b(?:hemos|ha sido|han sido) (?:\S+ )?(?:reembolsado|cancelado|restablecido|desbloqueado|cambiado|eliminado)\w*",
)

_ASK = r"(?:send|give|tell|share|confirm|provide|reply with|dm|message|enter|need|what(?:'s| is))"
_ASK_ELSEWHERE = (
    r"(?:senden|schicken|nennen|geben|teilen|verraten|bestätigen|sagen|lautet|envoye[rz]|donne[rz]|indique[rz]|communique[rz]|confirme[rz]|"
    r"env[íi][ea]\w*|mand[ea]\w*|d[íi]ga\w*|facilite|confirme|comparta|indique|invi[ai]?\w*|comunichi|fornisca|dica|confermi|"
    r"envie\w*|partilhe|forneça|informe|stuur|geef|deel|bevestig|noem|skicka|uppge|oplys|proszę podać|podaj|wyślij|gönder\w*|kirim\w*)"
)
_SECRET_ELSEWHERE = (
    r"(?:passwort|kennwort|geheimzahl|mot de passe|code secret|contraseña|clave secreta|senha|palavra-passe|parola d'ordine|"
    r"wachtwoord|pincode|lösenord|adgangskode|hasło|şifre\w*|kata sandi|pin)"
)
SECRET_OR_MONEY = _any(
    rf"\b{_ASK}\b[^.!?]{{0,60}}\b(?:password|passcode|pin|cvv|cvc|security code|one-time code|otp|card number|"
    r"social security|ssn|mother's maiden|seed phrase|full account number)\b",
    r"(?:^|[.!?,;:]\s*|\b(?:please|must|need to|have to|should|can|could|first|now|just|then|to) )(?:pay|transfer|wire|send|deposit)\b"
    r"[^.!?]{0,40}(?:\bmoney\b|\bfees?\b|[$€£]|\busd\b|\beur\b|\bgbp\b|bitcoin|crypto|gift cards?)",
    rf"\b{_ASK_ELSEWHERE}\b[^.!?]{{0,60}}\b{_SECRET_ELSEWHERE}\b",
    rf"\b{_SECRET_ELSEWHERE}\b[^.!?]{{0,40}}\b{_ASK_ELSEWHERE}\b",
)

WILL_CALL = _any(
    r"\b(?:call|phone|ring|telephone)(?:ing)? you\b", r"\bgive you a (?:call|ring)\b", r"\b(?:be|get) a call from us\b",
    r"\brufen sie\b[^.!?]{0,40}\ban\b", r"\b(?:sie|dich) an(?:zu)?rufen\b", r"\bvous (?:r?appell?er\w*|téléphoner\w*)",
    r"\b(?:le|te|les) llamar\w+", r"\bllamarl[eo]s?\b", r"\b(?:la|ti) (?:ri)?chiamer\w+", r"\bligar(?:emos)?(?:-lhe| para)",
    r"\b(?:u|je) (?:terug)?bellen\b", r"\bbellen (?:wij|we) (?:u|je)\b",
)  # fmt: skip

WILL_MAIL = _any(
    r"\be-?mail(?:ing)? you\b", r"\bsend(?:ing)? you an? e-?mail\b", r"\bby e-?mail\b", r"\bvia e-?mail\b", r"\bper e-?mail\b",
    r"\bpar (?:e-?mail|courriel)\b", r"\bpor (?:e-?mail|correo)\b", r"\bvia mail\b",
)  # fmt: skip

OUR_FUTURE = _any(
    r"\b(?:we|i|they|someone|somebody|you|it|team|colleague|agent|expert|engineer|technician|specialist)s?"
    r"(?:'ll|’ll| will| shall| can| are going to| is going to|'re going to)\b",
    r"\bexpect\b", r"\bexpected\b", r"\bpromise\b",
    r"\bwir (?:werden|melden|prüfen|schauen|kümmern|antworten|lösen)\b", r"\bwerden wir\b", r"\bmeldet sich\b", r"\bwird sich\b",
    r"\bnous \w+(?:rons|ons)\b", r"\bvous (?:recevrez|aurez)\b", r"\b\w+(?:aremos|eremos|iremos)\b", r"\bvamos a\b", r"\brecibirá\b",
    r"\b\w+eremo\b", r"\briceverà\b", r"\bvamos\b", r"\breceberá\b", r"\b(?:wij|we|u|je) (?:zullen|zult|gaan|nemen|krijgt)\b",
)  # fmt: skip

_UNIT = r"(?:seconds?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?)"
TIME = _any(
    rf"\b(?:in|within|under|next|after|every)\b[^.!?]{{0,25}}\b{_UNIT}\b", rf"\ba few {_UNIT}\b",
    r"\btoday\b", r"\btonight\b", r"\btomorrow\b", r"\bthis (?:morning|afternoon|evening|week)\b", r"\bimmediately\b",
    r"\bright (?:away|now)\b", r"\bstraight away\b", r"\bby (?:mon|tues|wednes|thurs|fri|satur|sun)day\b", r"\bby (?:noon|midnight)\b",
    r"\bon (?:mon|tues|wednes|thurs|fri|satur|sun)day\b", r"\bat \d", r"\basap\b", r"\bwithin the hour\b",
    r"\bheute\b", r"\bmorgen\b", r"\bsofort\b", r"\bumgehend\b", r"\binnerhalb\b", r"\bin (?:\w+ ){1,2}(?:minuten|stunden|tagen)\b",
    r"\baujourd['’]hui\b", r"\bdemain\b", r"\bimmédiatement\b", r"\b(?:dans|sous) (?:\w+ ){1,2}(?:minutes?|heures?|jours?)\b",
    r"\bhoy\b", r"\bmañana\b", r"\binmediatamente\b", r"\ben (?:\w+ ){1,2}(?:minutos?|horas?|días?)\b",
    r"\boggi\b", r"\bdomani\b", r"\bsubito\b", r"\bentro\b", r"\bhoje\b", r"\bamanhã\b", r"\bimediatamente\b",
    r"\bem (?:\w+ ){1,2}(?:minutos?|horas?|dias?)\b", r"\bvandaag\b", r"\bmeteen\b", r"\bbinnen\b",
)  # fmt: skip

_CASE = r"(?:case|ticket|issue|request|complaint|account)"
CLOSED = _any(
    rf"\b{_CASE} (?:is|has been|was|will be|are) (?:now )?(?:closed|resolved|solved|settled)\b",
    rf"\b(?:closed|resolved|solved|closing) (?:your|this|the) {_CASE}\b",
)
ESCALATED = _any(
    r"\bescalat\w+", r"\b(?:hand|handed|pass|passed|forward\w*|transfer\w*)\b[^.!?]{0,30}\bto (?:a|an|our|my|the)\b",
    r"\b(?:supervisor|manager|colleague)s? (?:will|is going to|takes?|'ll)\b",
)  # fmt: skip
