"""How much of a file is read. Past a limit the whole document is unreadable: half a policy misleads."""

FILE_BYTES = 64_000_000
HTML_BYTES = 20_000_000
TEXT_CHARACTERS = 4_000_000
PDF_PAGES = 2_000
JSON_DEPTH = 64
TITLE_CHARACTERS = 300
ID_CHARACTERS = 500
FRONT_MATTER_LINES = 200
EXTRA_CONTROL_SHARE = 0.01
"""More control characters than this share of a text: it is no text."""

CHILD_MEMORY_BYTES = 1 << 30
CHILD_SECONDS = 30.0
