"""What a merchant or a system calls a product -> its category, by one table of names and of merchant category codes."""

from bisect import bisect_right

_NAMES = {
    "card": ("card", "credit_card", "debit_card", "prepaid_card", "virtual_card"),
    "account": ("account", "checking", "current_account", "giro", "bank_account"),
    "savings": ("savings", "savings_account", "deposit", "fixed_deposit"),
    "loan": ("loan", "personal_loan", "credit", "overdraft", "student_loan", "car_loan"),
    "mortgage": ("mortgage", "home_loan"),
    "insurance": ("insurance", "policy", "life_insurance", "car_insurance", "home_insurance"),
    "investment": ("investment", "fund", "etf", "brokerage", "securities", "pension"),
    "transfer": ("transfer", "wire", "direct_debit", "standing_order", "remittance"),
    "cash": ("cash", "atm", "withdrawal"),
    "travel": ("travel", "flight", "hotel", "airline", "car_rental"),
    "groceries": ("groceries", "grocery", "supermarket"),
    "dining": ("dining", "restaurant", "restaurants"),
    "fuel": ("fuel", "gas_station", "petrol"),
    "utilities": ("utilities", "telecom", "electricity", "water", "internet"),
    "shopping": ("shopping", "retail", "electronics", "clothing"),
    "health": ("health", "pharmacy", "medical"),
    "entertainment": ("entertainment", "gaming", "streaming", "games"),
    "education": ("education", "tuition"),
    "subscription": ("subscription", "membership"),
}

_MERCHANT_CODES = (
    (3000, 3999, "travel"),  # airlines, car rental agencies and hotels by name
    (4111, 4131, "travel"),
    (4411, 4411, "travel"),
    (4511, 4511, "travel"),
    (4582, 4582, "travel"),
    (4722, 4722, "travel"),
    (4812, 4821, "utilities"),
    (4829, 4829, "transfer"),
    (4899, 4900, "utilities"),
    (5200, 5399, "shopping"),
    (5411, 5499, "groceries"),
    (5541, 5542, "fuel"),
    (5600, 5735, "shopping"),
    (5811, 5814, "dining"),
    (5815, 5818, "entertainment"),
    (5912, 5912, "health"),
    (5940, 5949, "shopping"),
    (5960, 5960, "insurance"),
    (5968, 5968, "subscription"),
    (5983, 5983, "fuel"),
    (6010, 6011, "cash"),
    (6211, 6211, "investment"),
    (6300, 6300, "insurance"),
    (7011, 7011, "travel"),
    (7512, 7512, "travel"),
    (7829, 7999, "entertainment"),
    (8011, 8099, "health"),
    (8211, 8299, "education"),
)
"""Ranges of ISO 18245 codes, first and last included, in order."""

CATEGORIES = tuple(_NAMES)
_BY_NAME = {name: category for category, names in _NAMES.items() for name in names}
_STARTS = [first for first, _, _ in _MERCHANT_CODES]


def named(product: str) -> str | None:
    """`Credit Card` -> `card`; None for what the table does not have."""
    return _BY_NAME.get("_".join(product.lower().replace("-", " ").replace("_", " ").split()))


def of_merchant(code: str) -> str | None:
    """A merchant category code of four digits, or a category by name."""
    if not (len(code) == 4 and code.isascii() and code.isdecimal()):
        return named(code)
    place = bisect_right(_STARTS, int(code)) - 1
    _, last, category = _MERCHANT_CODES[max(place, 0)]
    return category if place >= 0 and int(code) <= last else None
