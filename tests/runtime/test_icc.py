import io

import numpy as np
from PIL import Image, ImageCms

from tintype.runtime.icc import lightness_profile, srgb_profile


def _open(profile):
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def test_the_srgb_profile_is_littlecms_own_srgb():
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    there = ImageCms.profileToProfile(colours, ImageCms.createProfile("sRGB"), _open(srgb_profile()))
    back = ImageCms.profileToProfile(colours, _open(srgb_profile()), ImageCms.createProfile("sRGB"))
    for image in (there, back):
        assert np.abs(np.asarray(image).astype(int) - np.asarray(colours)).max() <= 1


def test_both_profiles_say_what_they_are():
    assert ImageCms.getProfileDescription(_open(srgb_profile())).strip() == "sRGB"
    assert _open(srgb_profile()).profile.xcolor_space.strip() == "RGB"
    assert _open(lightness_profile()).profile.xcolor_space.strip() == "GRAY"


def test_the_srgb_profile_is_small():
    assert len(srgb_profile()) < 3000
