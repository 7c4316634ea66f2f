"""Secrets that stand elsewhere: in a file, in another variable, or in what a command prints."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.secret_text import MASK, SecretText
from pipeline.errors import TerminalError

KINDS = ("file", "command", "env")
COMMAND_S = 30.0
"""How long a command may take to print a secret."""


class SecretUnreadableError(TerminalError):
    """A secret is not where a setting says that it is."""


@dataclass(frozen=True, repr=False)
class SecretReference:
    """Where a secret is. Its representation has neither the secret nor a command's arguments.

    Attributes:
        kind: one of `KINDS`.
        place: a file's absolute path, a command's words, or a variable's name; whatever was written.
    """

    kind: str
    place: Any

    def __str__(self) -> str:
        if self.kind == "command":
            word = self.place[0] if isinstance(self.place, list) and self.place else ""
            return f"{MASK} (command {word})"
        return f"{MASK} ({self.kind} {self.place})"

    __repr__ = __str__

    @property
    def mistake(self) -> str | None:
        """What is wrong with it as it is written."""
        place = self.place
        if self.kind == "command":
            words = isinstance(place, list) and place and all(isinstance(one, str) for one in place)
            return (
                None
                if words
                else 'its `command` is not a list of words, as ["pass", "show", "kafka"]'
            )
        if not isinstance(place, str) or not place:
            return f"its `{self.kind}` is not text"
        if self.kind == "file" and not Path(place).is_absolute():
            return "its `file` is not an absolute path"
        return None

    def read(self, subject: str, environment: Mapping[str, str]) -> SecretText:
        """Return the secret, without the newline at its end. A command is run each time.

        Raises:
            SecretUnreadableError: it is not there, or is empty; what a command says is not told.
        """
        try:
            text = self._text(environment)
        except KeyError:
            raise self._unreadable(subject, "is not set") from None
        except OSError as error:
            raise self._unreadable(subject, f"cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise self._unreadable(subject, "is not text") from None
        except subprocess.CalledProcessError as error:
            raise self._unreadable(subject, f"ended with {error.returncode}") from None
        except subprocess.TimeoutExpired:
            raise self._unreadable(subject, f"did not end within {COMMAND_S:.0f} s") from None
        found = text.removesuffix("\n").removesuffix("\r")
        if not found:
            raise self._unreadable(subject, "gives nothing")
        return SecretText(found)

    def _text(self, environment: Mapping[str, str]) -> str:
        if self.kind == "env":
            return environment[self.place]
        if self.kind == "file":
            return Path(self.place).read_text()
        # Its standard error may have the secret, too.
        done = subprocess.run(
            self.place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            text=True,
            timeout=COMMAND_S,
        )
        return done.stdout

    def _unreadable(self, subject: str, why: str) -> SecretUnreadableError:
        where = str(self).removeprefix(f"{MASK} (").removesuffix(")")
        return SecretUnreadableError(
            f"its secret is in {where}, which {why}.",
            subject=subject,
            remedy="Put it there, or say where it is; docs/reference/settings.md tells how.",
        )


def reference(value: object) -> SecretReference | None:
    """Return what a table of one key, one of `KINDS`, refers to; None for anything else."""
    if isinstance(value, Mapping) and len(value) == 1 and (kind := next(iter(value))) in KINDS:
        return SecretReference(kind, value[kind])
    return None


def read_secrets(
    settings: Mapping[str, Any], subject: str, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Return settings with what they refer to in place of the references.

    Raises:
        SecretUnreadableError: one is not there; its subject is `subject` and the setting's name.
    """
    return {
        name: value.read(f"{subject}.{name}", environment)
        if isinstance(value, SecretReference)
        else value
        for name, value in settings.items()
    }


def unreadable(
    settings: Mapping[str, Any], subject: str, environment: Mapping[str, str]
) -> Iterator[SecretUnreadableError]:
    """Yield an error for each secret that `read_secrets` would not find."""
    for name, value in settings.items():
        try:
            read_secrets({name: value}, subject, environment)
        except SecretUnreadableError as error:
            yield error
