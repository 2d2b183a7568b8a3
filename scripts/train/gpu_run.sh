#!/bin/bash
# Trains on a machine with a GPU and without a network, to which files are carried in parts of limited size.
#
#   gpu_run.sh pack MODEL.gguf PACK.npz FOLDER [MEGABYTES]   here: what travels, in parts of at most so many megabytes (default 56)
#   gpu_run.sh train FOLDER OUT SECONDS                      there: trains until SECONDS have passed; call it again after a break
#   gpu_run.sh tune FOLDER OUT SECONDS                       there: the same with tune.py, from the adapter in models/gemma-3-270m-news
#
# FOLDER gets the pack as it is and the model with the pack's part of the vocabulary (weights.py); bring all its files, into FOLDER or
# into folders of it whose names are in the order of the parts. OUT gets the adapter, in parts of at most 15 MB where it is larger,
# log.jsonl and run.json. TRAIN and TUNE have more options for train.py and tune.py.
# The adapter is measured where the engine is (scripts/eval/translation.py).
set -euo pipefail
shopt -s nullglob
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
export PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1

# Puts the parts together, and says when the time is over.
gather() {
    folder=$1 out=$2 work=$1/run
    deadline=$(date -u -d "+$3 seconds" +%FT%T)
    mkdir -p "$out"
    local parts=("$folder"/part.* "$folder"/*/part.*) packs=("$folder"/*.npz "$folder"/*/*.npz)
    if ((${#parts[@]} == 0 || ${#packs[@]} != 1)); then
        echo "$folder has ${#parts[@]} parts of a model and ${#packs[@]} packs; expected all parts and one pack, which \`gpu_run.sh pack\` writes" >&2
        exit 1
    fi
    cat "${parts[@]}" >"$folder/model.gguf"
    pack=${packs[0]}
}

deliver() {
    [ -e "$work/adapter/adapter_model.safetensors" ] || return 0
    cp "$work"/log.jsonl "$work"/run.json "$work"/adapter/*.json "$out"
    split --bytes=15MB --numeric-suffixes "$work/adapter/adapter_model.safetensors" "$out/adapter_model.safetensors."
}

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
    gather "$2" "$3" "$4"
    $python "$here/train.py" "$pack" "$folder/model.gguf" "$work" --rank 64 --rows-per-step 48 --rows-at-once 16 --every 250 \
        --compile --deadline "$deadline" ${TRAIN:-}
    deliver
    ;;
tune)
    gather "$2" "$3" "$4"
    # What was best so far comes back also when it breaks off.
    trap deliver EXIT
    $python "$here/tune.py" "$pack" "$folder/model.gguf" "$work" --start "$here/../../models/gemma-3-270m-news" --compile --deadline "$deadline" ${TUNE:-}
    ;;
*)
    sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
