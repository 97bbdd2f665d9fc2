"""HTML to PDF: the only place that runs WeasyPrint."""
