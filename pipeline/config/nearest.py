"""What was probably meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the word of `known` that is most like `word`, in whatever case, with `_` and `-` or without.

    None where none is like it.
    """
    by_plain = {_plain(one): one for one in known}
    found = difflib.get_close_matches(_plain(str(word)), by_plain, n=1)
    return by_plain[found[0]] if found else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return the question, to stand behind what was expected; nothing where no known word is like it."""
    found = nearest(word, known)
    return "" if found is None else f"; did you mean {found}?"


def meant(word: object, known: Iterable[str]) -> str:
    """Return the question, to stand before what is known; nothing where no known word is like it."""
    found = nearest(word, known)
    return "" if found is None else f"Did you mean {found}? "


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
