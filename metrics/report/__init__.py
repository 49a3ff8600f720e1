"""Reports of certificates: HTML, Markdown, CSV, SVG figures."""
