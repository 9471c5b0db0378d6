"""What a machine computes in."""

from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


def precision_on(device: torch.device, wanted: Precision) -> Precision:
    """`wanted`, or `fp32` in place of `bf16` on a device without arithmetic of bfloat16.

    There bfloat16 is made up from float32, and slower than it: several times on a processor with no more than AVX2.
    """
    if wanted == "bf16" and not _has_bf16(device):
        return "fp32"
    return wanted


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        mkldnn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        return mkldnn and _processor_has_bf16()
    return True


def _processor_has_bf16() -> bool:
    if hasattr(torch.cpu, "get_capabilities"):
        has = torch.cpu.get_capabilities()
        return any(has.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    older = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name)() for name in older if hasattr(torch.cpu, name))
