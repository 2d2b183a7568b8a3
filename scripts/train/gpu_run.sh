#!/bin/bash
# Check, train, measure: one command for a machine with a GPU and without a network, whose calls last some minutes. Call it
# again with the same arguments until it says that all is done; it goes on where it was.
#
#   gpu_run.sh FOLDER OUT [SECONDS]
#
# FOLDER has what was made elsewhere (data.py, pack.py) and is carried along:
#   examples.jsonl  pack.npz  model.gguf  flores-dev/  and wheels/, if torch, transformers, peft, gguf, sacrebleu are missing
# OUT gets the adapter, logs and results in files of at most 16 MB, and the checkpoint in parts of that size; where OUT does
# not stay from call to call, put what came out of the last call into FOLDER/last. SECONDS is how long a call may train
# (default 420); measuring takes its time after that. TRAIN and CHECK are more options for train.py and check.py, EVALUATE
# for evaluate.py.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,15s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd) out=$2 seconds=${3:-420}
mkdir -p "$out"
out=$(cd "$out" && pwd)
python=${PYTHON:-python3}
export POLYGIST_DATA=$folder PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1
for file in examples.jsonl pack.npz model.gguf flores-dev; do
    [ -e "$folder/$file" ] || { echo "$folder/$file is missing; see the head of $0" >&2; exit 2; }
done
if ! $python -c 'import torch, transformers, peft, gguf, sacrebleu' 2>/dev/null; then
    [ -d "$folder/wheels" ] || { echo "Python packages are missing, and so is $folder/wheels" >&2; exit 2; }
    # Outside of the system's packages: what is there already (a torch built for the machine's driver) is used.
    $python -m venv --system-site-packages "$out/.venv"
    python=$out/.venv/bin/python
    $python -m pip install --quiet --no-index --find-links "$folder/wheels" transformers peft gguf sacrebleu
fi

work=$out/run
mkdir -p "$work"
for last in "$out" "$folder/last"; do
    if [ ! -e "$work/checkpoint.pt" ] && compgen -G "$last/checkpoint.part.*" >/dev/null; then
        cat "$last"/checkpoint.part.* >"$work/checkpoint.pt"
        cp "$last/log.jsonl" "$work/log.jsonl"
        for file in checks.txt results.json; do
            [ "$last" = "$out" ] || [ ! -e "$last/$file" ] || cp "$last/$file" "$out/$file"
        done
    fi
done

if ! grep -q 'checks passed' "$out/checks.txt" 2>/dev/null; then
    # The engine is not there: its ids and logits were compared where the pack was made.
    $python "$here/check.py" "$folder/examples.jsonl" "$folder/pack.npz" "$folder/model.gguf" --only packed falls resumes ${CHECK:-} | tee "$out/checks.txt"
fi

status=0
$python "$here/train.py" "$folder/pack.npz" "$folder/model.gguf" "$work" --budget "$seconds" ${TRAIN:-} || status=$?
[ $status = 0 ] || [ $status = 3 ] || exit $status
rm -f "$out"/checkpoint.part.*
split --bytes=16000000 --numeric-suffixes --suffix-length=3 "$work/checkpoint.pt" "$out/checkpoint.part."
rm "$work/checkpoint.pt"
cp "$work/log.jsonl" "$work/run.json" "$out/"
if [ $status = 3 ]; then
    echo "training is not done: call again"
    exit 3
fi
$python "$here/evaluate.py" "$folder/model.gguf" --adapter "$work/adapter" --out "$out/results.json" ${EVALUATE:-} | tee "$out/table.txt"
find "$out" -path "$out/.venv" -prune -o -type f -size +16000000c -print | sed 's/^/larger than 16 MB: /'
echo "all is done: $work/adapter, $out/table.txt"
