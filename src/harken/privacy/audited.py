"""How the audit names a customer."""

from harken.privacy.keys import MasterKey

_CUSTOMER = "audit customer"


def customer_token(master: MasterKey, customer: str) -> str:
    """Always the same, and nobody without the master key can tell whose it is."""
    return master.fingerprint(_CUSTOMER, customer.encode()).hex()
