"""What the site does to pages after they are rendered."""

from __future__ import annotations

import re
from typing import Any

EXAMPLES = re.compile(r"<p>(Examples?):\n(.*?)</p>", re.DOTALL)


def on_page_content(html: str, **_: Any) -> str:
    """Show the examples in commands' help as the lines they are: to Markdown they are a paragraph."""
    return EXAMPLES.sub(r"<p>\1:</p><pre><code>\2</code></pre>", html)
