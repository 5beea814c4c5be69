"""Stage 6: context -> decision. Pure: no clock, no network, no database, no chance that is not written down."""
