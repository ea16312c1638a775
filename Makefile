# One virtual environment in .venv; every target sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
DEMO := demo
# For `make model`: DATA=folder, and if wanted PAIRS=csv, ENCODER=file, DRY=folder without water,
# ALSO=folder of other pictures with masks.
# TRY=1 goes the whole way in minutes, with a narrow teacher and tiny trainings, and keeps what ships.
MODEL := runs/$(if $(TRY),try,model)
ENCODER := auto
TINY = $(if $(TRY),--epochs 12 --size 64)
PICTURES = --data $(DATA) $(if $(PAIRS),--pairs $(PAIRS))
BESIDE = $(if $(ALSO),--also $(ALSO)) $(if $(DRY),--dry $(DRY))
DISTILL = $(BIN)/python -m train.distill --teacher $(MODEL)/teacher-export/model.int8.onnx $(PICTURES) $(BESIDE)
NARROW = $(if $(TRY),--model vgg19unet-bn --width 0.25)
FEWER = $(TINY) $(if $(TRY),--change views=1 --change scenes=8)

.PHONY: help setup demo model check test bench lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready  ## create .venv with everything that development needs

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	@# Compiled at once, as pip does: every start of a process would do it anew where bytecode is not written.
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt \
		--editable '.[cpu,openvino,video,train,smp,export]' --group dev
	@# Types only: with its dependencies it would fetch TensorRT itself.
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps tensorrt-stubs==10.13.0.35.1
	@touch $@

demo: setup  ## train on generated scenes, export, run on a generated flood clip, show the results
	@rm -rf $(DEMO)
	$(BIN)/python -m train --data synthetic --out $(DEMO)/run
	$(BIN)/python -m export $(DEMO)/run/best.safetensors --out $(DEMO)/export
	$(BIN)/python -m train.clips $(DEMO)/flood.mp4 --fps 10 --seed 7
	$(BIN)/flood-runtime --source $(DEMO)/flood.mp4 --model $(DEMO)/export/model.onnx \
		--save $(DEMO)/overlay.mp4 --masks $(DEMO)/masks --log $(DEMO)/frames.jsonl
	$(BIN)/flood-runtime --source $(DEMO)/flood.mp4 --save $(DEMO)/shipped.mp4 --log $(DEMO)/shipped.jsonl
	$(BIN)/python -m benchmarks.table $(DEMO)/export --checkpoint $(DEMO)/run/best.safetensors
	$(BIN)/python -m benchmarks.demo $(DEMO)

model: setup  ## make the model that ships anew: DATA=folder [PAIRS= ENCODER= ALSO= DRY= TRY=1]; hours
	@test -n "$(DATA)" || { echo "error: no DATA came; wanted the folder of the photographs: make model DATA=flood-area"; exit 2; }
	$(BIN)/python -m train $(PICTURES) --encoder $(ENCODER) --size 320 --epochs 40 --seed 3 --change dropout=0.35 \
		--change growth=0:0.4,0.3:0.5,0.5:0.65,0.75:0.8125 $(TINY) $(NARROW) --out $(MODEL)/teacher
	$(BIN)/python -m export $(MODEL)/teacher/best.safetensors --int8 --engine none --out $(MODEL)/teacher-export
	$(DISTILL) $(FEWER) --out $(MODEL)/student
	$(DISTILL) --encoder $(MODEL)/student/best.safetensors --seed 53 --batch 32 --rate 2e-3 --epochs 20 \
		--change growth=0:0.75 --change views=24 --change scenes=1200 --change steady=8 $(FEWER) --out $(MODEL)/further
	$(BIN)/python -m train.recount $(MODEL)/further/last.safetensors $(PICTURES) $(BESIDE) \
		--threshold 0.83 --half --out $(MODEL)/ships.safetensors
	$(BIN)/python -m export $(MODEL)/ships.safetensors $(PICTURES) --fp16 --int8 --engine none --out $(MODEL)/export
ifndef TRY
	for graph in int8 int8.tensorrt fp16; do for part in .onnx .onnx.json .onnx.parity.json .onnx.golden.npz; do \
		cp $(MODEL)/export/model.$$graph$$part runtime/models/ || exit 1; done; done
	cp $(MODEL)/ships.safetensors $(MODEL)/ships.safetensors.json train/
endif

check: setup  ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## check, then all tests
	$(BIN)/python -m pytest

bench: setup  ## the backends side by side, with parity
	$(BIN)/python -m pytest benchmarks --benchmark-only

lock: setup  ## pin the newest versions that fit pyproject.toml into constraints.txt
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.10 \
		--extra cpu --extra openvino --extra video --extra train --extra smp --extra export --group dev \
		--no-header --no-annotate --no-emit-index-url --upgrade --output-file constraints.txt

clean:  ## remove the environment, the demo and all caches
	rm -rf .venv $(DEMO) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
