"""Photographs without water, to learn from and to measure on."""
