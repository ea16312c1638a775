"""Photographs of other things than floods, to learn from and to measure on."""
