"""Models as the Hugging Face Hub has them: one file, what it says of itself as config.json, and a model card."""

from tintype.publish.layout import Layout, PublishError, read_layout
from tintype.publish.upload import push, write_folder

__all__ = ["Layout", "PublishError", "push", "read_layout", "write_folder"]
