"""Text as it is compared and ordered: equal on both databases and in every language's letters."""

from __future__ import annotations

import re
import unicodedata


def text_key(text: str) -> str:
    """NFKC and case-folded, until nothing changes any more: folding may undo what normalising did."""
    folded = unicodedata.normalize("NFKC", text.casefold())
    again = unicodedata.normalize("NFKC", folded.casefold())
    return folded if folded == again else text_key(again)


def email_key(email: str) -> str:
    """What e-mail addresses are compared by: only A to Z lose their case, for others are other mailboxes."""
    return re.sub("[A-Z]+", lambda letters: letters[0].lower(), email)
