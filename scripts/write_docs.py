"""Writes the documents that are drawn from the code: docs/options.md."""

from __future__ import annotations

from pathlib import Path

from idiolect.cli.options import options_page

DOCS = Path(__file__).parent.parent / "docs"

(DOCS / "options.md").write_text(options_page(), encoding="utf-8")
