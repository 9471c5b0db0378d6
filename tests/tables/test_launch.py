import pytest

from tintype.tables.launch import shared


@pytest.mark.parametrize(
    ("launch", "batch_size", "expected"),
    [
        ("torchrun --nproc-per-node 8 --no-python", 32, "torchrun --nproc-per-node 8 --no-python"),
        ("torchrun --nproc-per-node 8 --no-python", 10, "torchrun --nproc-per-node 5 --no-python"),
        ("torchrun --nproc_per_node=8", 20, "torchrun --nproc_per_node=5"),
        ("torchrun --nproc-per-node 8", 2, "torchrun --nproc-per-node 2"),
        ("torchrun --nproc-per-node 8", 7, "torchrun --nproc-per-node 7"),
        ("torchrun --nproc-per-node 8", 11, "torchrun --nproc-per-node 1"),
        ("torchrun --nnodes 2 --nproc-per-node 8", 20, "torchrun --nnodes 2 --nproc-per-node 5"),
        ("torchrun --nnodes=2 --nproc-per-node=8", 12, "torchrun --nnodes=2 --nproc-per-node=6"),
        ("torchrun --nnodes 3 --nproc-per-node 8", 20, "torchrun --nnodes 3 --nproc-per-node 8"),  # none will do
        ("accelerate launch --num_processes 8", 20, "accelerate launch --num_processes 5"),
        (
            "accelerate launch --num-processes=8 --num_machines 2",
            20,
            "accelerate launch --num-processes=4 --num_machines 2",
        ),
        (
            "accelerate launch --num_processes 8 --num_machines 2",
            10,
            "accelerate launch --num_processes 2 --num_machines 2",
        ),
        ("torchrun --nproc-per-node gpu", 10, "torchrun --nproc-per-node gpu"),
        ("torchrun --nproc-per-node", 10, "torchrun --nproc-per-node"),
        ("torchrun --nproc-per-node 8", 0, "torchrun --nproc-per-node 8"),
        ("srun --ntasks 8", 10, "srun --ntasks 8"),
        ("", 10, ""),
    ],
)
def test_no_more_processes_than_a_batch_can_be_parted_among(launch, batch_size, expected):
    assert shared(launch.split(), batch_size) == expected.split()
