import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tintype.runtime.curves import grey_curve
from tintype.runtime.icc import _profile, lightness_profile
from tintype.runtime.read import read_photo


def _grey(curve):
    return _profile(b"GRAY", "grey", {b"kTRC": curve})


def _gamma(value):
    return _grey(b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * value)))


def _points(*values):
    return _grey(b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values))


def _formula(kind, *numbers):
    fixed = struct.pack(f">{len(numbers)}i", *(round(65536 * number) for number in numbers))
    return _grey(b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed)


DOT_GAIN = _points(*(round(65535 * (v - 0.8 * v * (1 - v)) ** 1.9) for v in np.linspace(0, 1, 64)))
SRGB = _formula(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@pytest.mark.parametrize(
    "profile",
    [
        _gamma(1.0),
        _gamma(1.8),
        _gamma(2.2),
        DOT_GAIN,
        _grey(b"curv\0\0\0\0" + bytes(4)),
        SRGB,
        _formula(0, 2.2),
        _formula(1, 2.0, 0.9, 0.1),
        _formula(2, 2.0, 0.8, 0.1, 0.05),
        _formula(4, 2.4, 0.9, 0.05, 0.1, 0.05, 0.02, 0.01),
        lightness_profile(),
    ],
)
def test_it_is_the_curve_that_littlecms_has(profile):
    source, target = (ImageCms.ImageCmsProfile(io.BytesIO(data)) for data in (profile, lightness_profile()))
    flags = ImageCms.Flags(0x0100)
    transform = ImageCms.buildTransform(source, target, "I;16", "I;16", flags=flags)
    ramp = Image.fromarray(np.arange(65536, dtype=np.uint16)[None])
    wanted = np.asarray(transform.apply(ramp))[0] / 655.35
    np.testing.assert_allclose(grey_curve(profile, 65536), wanted, atol=0.06)


def test_all_levels_of_a_gamma_scan_but_the_very_darkest_stay_distinct(tmp_path):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(levels).save(tmp_path / "x.tif", icc_profile=_gamma(2.2))
    photo = read_photo(tmp_path / "x.tif")
    light = photo.lightness[photo.codes].ravel()
    assert len(np.unique(light)) > 65500
    assert (np.diff(light[300:]) > 0).all()


@pytest.mark.parametrize(
    "profile",
    [b"", b"nonsense", _gamma(2.2)[:150], _profile(b"GRAY", "x", {}), _grey(b"para" + bytes(4) + b"\0\x09\0\0")],
)
def test_what_is_damaged_or_unknown_is_none(profile):
    assert grey_curve(profile, 256) is None
