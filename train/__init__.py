"""Photographs -> weights (PyTorch)."""
