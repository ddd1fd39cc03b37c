"""Parts of self-contained HTML pages: text, figures, tables, and the page around them, which loads nothing."""
