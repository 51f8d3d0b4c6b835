"""Reports: HTML pages, Markdown, plots and terminal output."""
