"""The real-vs-fake study: people say which of two pictures has made-up colours (Zhang16, section 3.1)."""
