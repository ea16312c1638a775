"""Photographs -> weights (PyTorch)."""

import os

# albumentations otherwise asks the network for its newest version when it is imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
