"""Ultralytics' own pipeline on decoded frames; run by the interpreter of its environment.

ultralytics_loop.py FRAMES.npy HEIGHT WIDTH THREADS. FRAMES: (N, H, W, 3) uint8 BGR. After a line
that says what it is, each line on stdin is answered with a JSON line about the next frame. Random
weights find nothing, so that drawing and resizing masks costs it nothing either.
"""

import json
import sys
import time

import numpy as np
import torch

NETWORK = "yolo11n-seg.yaml"


def main() -> None:
    frames = np.load(sys.argv[1])
    size = [int(sys.argv[2]), int(sys.argv[3])]
    torch.set_num_threads(int(sys.argv[4]))
    answers, sys.stdout = sys.stdout, sys.stderr  # the first import in an environment prints
    import ultralytics

    model = ultralytics.YOLO(NETWORK, task="segment")

    def look(frame: np.ndarray) -> dict[str, float]:
        start = time.perf_counter()
        result = model.predict(frame, imgsz=size, verbose=False)[0]
        total_ms = 1e3 * (time.perf_counter() - start)
        return {"total_ms": total_ms, "network_ms": result.speed["inference"]}

    look(frames[0])
    name = f"Ultralytics {ultralytics.__version__}, {NETWORK}"
    print(json.dumps({"name": name}), file=answers, flush=True)
    for number, _ in enumerate(sys.stdin):
        answer = look(frames[number % len(frames)])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
