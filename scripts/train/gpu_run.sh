#!/bin/bash
# Trains on a machine with a GPU and without a network, to which files are carried in parts of limited size.
#
#   gpu_run.sh pack MODEL.gguf PACK.npz FOLDER [MEGABYTES]   here: what travels, in parts of at most so many megabytes (default 56)
#   gpu_run.sh train FOLDER OUT SECONDS                      there: trains until SECONDS have passed; call it again after a break
#
# FOLDER gets the pack as it is and the model with the pack's part of the vocabulary (weights.py); bring all its files. OUT gets the
# adapter, in parts of at most 15 MB where it is larger, log.jsonl and run.json. TRAIN has more options for train.py.
# The adapter is measured where the engine is (scripts/eval/translation.py).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
export PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1
case ${1:-} in
pack)
    model=$2 pack=$3 folder=$4 size=${5:-56}
    mkdir -p "$folder"
    rm -f "$folder"/part.*
    cp "$pack" "$folder/pack.npz"
    (cd "$here" && $python -c "import sys, rows, weights; weights.thin(sys.argv[1], rows.Pack(sys.argv[2]).shortlist, sys.argv[3])" \
        "$(realpath "$model")" "$(realpath "$folder")/pack.npz" "$(realpath "$folder")/model.gguf")
    split --bytes="${size}MB" --numeric-suffixes "$folder/model.gguf" "$folder/part."
    rm "$folder/model.gguf"
    ;;
train)
    folder=$2 out=$3 seconds=$4
    mkdir -p "$out"
    cat "$folder"/part.* >"$folder/model.gguf"
    work=$folder/run
    $python "$here/train.py" "$folder/pack.npz" "$folder/model.gguf" "$work" --rank 64 --rows-per-step 48 --rows-at-once 16 --every 250 \
        --compile --deadline "$(date -u -d "+$seconds seconds" +%FT%T)" ${TRAIN:-}
    cp "$work"/log.jsonl "$work"/run.json "$work"/adapter/*.json "$out"
    split --bytes=15MB --numeric-suffixes "$work/adapter/adapter_model.safetensors" "$out/adapter_model.safetensors."
    ;;
*)
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
