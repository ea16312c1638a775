"""Weights -> ONNX graphs and engines, with proof."""
