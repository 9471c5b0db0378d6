"""The pages: what a browser sees of tintype."""
