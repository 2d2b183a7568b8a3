#!/bin/bash
# A job over a folder of articles on a Slurm cluster: an array of tasks, each of which does its part
# of the articles, and one task that makes one job of the parts when all are done.
#
#   sbatch --array=0-15 scripts/cluster/slurm_array.sh ARTICLES RESULTS --to en
#
# ARTICLES and RESULTS are on a disk that all machines share. A task that was stopped or pre-empted
# is put into the queue again, and goes on where it was; so does the same command, given again. Fetch
# the models first, where the machines have no network: polygist models pull NAME.
#SBATCH --job-name=polygist
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# The program is told two minutes before its time is over, and ends with what it has done.
#SBATCH --signal=TERM@120
set -euo pipefail

articles=$1 results=$2
shift 2

# The first task of the array asks for the merge, which waits for all of them to have worked out.
if [ "$SLURM_ARRAY_TASK_ID" = "$SLURM_ARRAY_TASK_MIN" ] && [ "${SLURM_RESTART_COUNT:-0}" = 0 ]; then
    sbatch --dependency="afterok:$SLURM_ARRAY_JOB_ID" --job-name=polygist-merge --mem=4G \
        --wrap "polygist merge '$results'"
fi

status=0
srun polygist batch "$articles" --out "$results" --shard auto \
    --threads "${SLURM_CPUS_PER_TASK:-1}" "$@" || status=$?
case $status in
    # A part in which articles have failed is complete: their records say why.
    2) exit 0 ;;
    # Its time was over: it goes on where it was.
    143) scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ;;
esac
exit "$status"
