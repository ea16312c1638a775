"""What a user would pick instead, measured beside ours: pytest benchmarks/test_peers.py.

article      PyTorch as the article uses it, frame by frame
ultralytics  a segmentation network of Ultralytics' own through its own pipeline, from its YAML with
             random weights: what is compared is the time per frame outside the network
openvino     OpenVINO's benchmark_app, on our graph

Ultralytics lives in an environment of its own, made by `python -m benchmarks.peers DIR` and named
in FLOOD_PEERS; nothing of the project needs it.
"""
