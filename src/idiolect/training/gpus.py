"""GPUs that people have or rent: memory, speed, price. docs/plan.md says where the figures come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """`memory` in GiB, `peak` in 10^12 operations a second on dense bfloat16 matrices, `price` in US$ an hour."""

    name: str
    memory: float
    peak: float
    price: float


GPUS = (
    Gpu("RTX 3090", 24, 71, 0.40),
    Gpu("L4", 24, 121, 0.45),
    Gpu("RTX 4090", 24, 165, 0.65),
    Gpu("RTX 5090", 32, 210, 0.90),
    Gpu("A40", 48, 150, 0.40),
    Gpu("L40S", 48, 362, 0.85),
    Gpu("A100 80GB", 80, 312, 1.40),
    Gpu("H100 PCIe", 80, 756, 2.40),
    Gpu("H100 SXM", 80, 989, 2.70),
    Gpu("RTX PRO 6000", 96, 504, 1.80),
    Gpu("H200", 140, 989, 3.60),
    Gpu("B200", 179, 2250, 6.00),
)
