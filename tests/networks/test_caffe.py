import sys

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tintype.networks import build_trunk
from tintype.networks.published import load_published


class File:
    """A .caffemodel.h5 as Caffe writes it."""

    def __init__(self, path):
        self.path, self.rng, self.tensors = path, np.random.default_rng(0), {}

    def put(self, name, *values):
        self.tensors |= {f"data/{name}/{i}": np.asarray(value, np.float32) for i, value in enumerate(values)}

    def conv(self, name, *shape, bias=True):
        weight = self.rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        self.put(name, weight, *[self.rng.normal(0, 0.1, shape[0])] * bias)

    def norm(self, name, channels):
        count = 7.0
        self.put(name, count * self.rng.normal(0, 0.1, channels), count * self.rng.uniform(0.5, 2, channels), [count])

    def write(self):
        with h5py.File(self.path, "w") as file:
            for name, value in self.tensors.items():
                file[name] = value
        return self.path

    def tensor(self, name, number=0):
        return torch.from_numpy(self.tensors[f"data/{name}/{number}"])


def normed(file, x, norm):
    """Batch-norm as Caffe evaluates it."""
    count = file.tensor(norm, 2)
    mean, var = file.tensor(norm, 0) / count, file.tensor(norm, 1) / count
    return (x - mean[:, None, None]) / (var + 1e-5)[:, None, None].sqrt()


def seen(*size):
    return torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0)) * 100


def lrn(x):
    """TensorFlow's local response normalization, as the released network has it."""
    squares = F.pad(x.square(), (0, 0, 0, 0, 2, 2))
    sums = sum(squares[:, i : i + x.shape[1]] for i in range(5))
    return x / (1 + 2e-5 * sums) ** 0.75


ALEXNET = {"conv1": (96, 1, 11, 11), "conv2": (256, 48, 5, 5), "conv3": (384, 256, 3, 3), "conv4": (384, 192, 3, 3),
           "conv5": (256, 192, 3, 3), "fc6": (4096, 9216), "fc7": (4096, 4096)}  # fmt: skip


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    file = File(tmp_path_factory.mktemp("caffe") / "alexnet.caffemodel.h5")
    for name, shape in ALEXNET.items():
        file.conv(name, *shape)
    file.tensors["data/conv1/0"] *= 30  # so that the normalization does something
    file.write()
    return file


def test_larssons_alexnet_gives_what_the_released_network_gives(alexnet):
    trunk = build_trunk("alexnet_lrn").eval()
    load_published(trunk, nn.Identity(), alexnet.path)
    x = (seen(64, 64) - 100 * 114.154 / 255) / 100
    with torch.no_grad():
        given = trunk(seen(64, 64))
        # TensorFlow's grids with stride begin a pixel or two elsewhere.
        x = F.conv2d(x, alexnet.tensor("conv1"), alexnet.tensor("conv1", 1), stride=4, padding=5).relu()
        torch.testing.assert_close(given["conv1"], x, rtol=1e-3, atol=1e-4 * float(x.max()))
        for name, groups, pad in (("conv2", 2, 2), ("conv3", 1, 1)):
            x = F.max_pool2d(lrn(x), 3, 2, 1)
            x = F.conv2d(x, alexnet.tensor(name), alexnet.tensor(name, 1), padding=pad, groups=groups).relu()
            torch.testing.assert_close(given[name], x, rtol=1e-3, atol=1e-4 * float(x.max()))
        for name in ("conv4", "conv5"):
            x = F.conv2d(x, alexnet.tensor(name), alexnet.tensor(name, 1), padding=1, groups=2).relu()
        x = F.pad(F.max_pool2d(x, 3, 2, 1), (2, 3, 2, 3))  # SAME, of an even window
        x = F.conv2d(x, alexnet.tensor("fc6").reshape(4096, 256, 6, 6), alexnet.tensor("fc6", 1)).relu()
        torch.testing.assert_close(given["fc6"], x, rtol=1e-3, atol=1e-4 * float(x.max()))
    plain = build_trunk("alexnet").eval()
    load_published(plain, nn.Identity(), alexnet.path)
    with torch.no_grad():
        assert not torch.allclose(plain(seen(64, 64))["conv2"], given["conv2"], rtol=1e-2)


def test_larssons_filters_are_scaled_to_zhang16s_input(alexnet):
    trunk = build_trunk("alexnet_dilated").eval()
    load_published(trunk, nn.Identity(), alexnet.path)
    with torch.no_grad():
        given = trunk(seen(64, 64))
        x = (seen(64, 64) - 50) / 100  # they are for greys up to 1
        x = F.conv2d(x, alexnet.tensor("conv1"), alexnet.tensor("conv1", 1), stride=4, padding=5).relu()
        torch.testing.assert_close(given["conv1"], x, rtol=1e-3, atol=1e-4 * float(x.max()))
        x = F.max_pool2d(x, 3, 2, 1)
        x = F.conv2d(x, alexnet.tensor("conv2"), alexnet.tensor("conv2", 1), padding=2, groups=2).relu()
        torch.testing.assert_close(given["conv2"], x, rtol=1e-3, atol=1e-4 * float(x.max()))


def test_for_colour_input_larssons_filters_are_shared_by_the_channels(alexnet):
    trunk = build_trunk("alexnet_lrn", 3).eval()
    load_published(trunk, nn.Identity(), alexnet.path)
    rgb = 100 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        given = trunk(rgb)["conv1"]
        x = (rgb.mean(1, keepdim=True) - 100 * 114.154 / 255) / 100
        x = F.conv2d(x, alexnet.tensor("conv1"), alexnet.tensor("conv1", 1), stride=4, padding=5).relu()
    torch.testing.assert_close(given, x, rtol=1e-3, atol=1e-4 * float(x.max()))


VGG = [("conv1_1", 64, 1), ("conv1_2", 64, 64), ("conv2_1", 128, 64), ("conv2_2", 128, 128),
       ("conv3_1", 256, 128), ("conv3_2", 256, 256), ("conv3_3", 256, 256), ("conv4_1", 512, 256),
       ("conv4_2", 512, 512), ("conv4_3", 512, 512), ("conv5_1", 512, 512), ("conv5_2", 512, 512),
       ("conv5_3", 512, 512)]  # fmt: skip


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    file = File(tmp_path_factory.mktemp("caffe") / "vgg16.caffemodel.h5")
    for name, out, channels in VGG:
        file.conv(name, out, channels, 3, 3)
        file.norm(f"batch_{name}", out)
    file.tensors["data/fc6/0"] = np.zeros((4096, 25088), np.float32)  # large: told apart by its diagonal alone
    np.fill_diagonal(file.tensors["data/fc6/0"], 1)
    file.put("fc6", file.tensors["data/fc6/0"], np.linspace(-1, 1, 4096))
    file.put("fc7", np.eye(4096), np.zeros(4096))
    file.write()
    return file


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn"])
def test_larssons_vgg16_gives_what_the_released_network_gives_with_batch_norm_or_folded(name, vgg16):
    trunk = build_trunk(name).eval()
    load_published(trunk, nn.Identity(), vgg16.path)
    with torch.no_grad():
        given = trunk(seen(32, 32))
        x = seen(32, 32) / 100 - 0.4488
        for layer, _, _ in VGG:
            x = F.conv2d(x, vgg16.tensor(layer), vgg16.tensor(layer, 1), padding=1)
            x = normed(vgg16, x, f"batch_{layer}").relu()
            torch.testing.assert_close(given[layer], x, rtol=1e-3, atol=1e-4 * float(x.max()))
            if layer in ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"):
                x = F.max_pool2d(x, 2)
        weight = vgg16.tensor("fc6").reshape(4096, 512, 7, 7)
        x = F.conv2d(x, weight, vgg16.tensor("fc6", 1), padding=3).relu()
        torch.testing.assert_close(given["fc6"], x, rtol=1e-3, atol=1e-4 * float(x.max()))


@pytest.fixture(scope="module")
def resnet152(tmp_path_factory):
    file = File(tmp_path_factory.mktemp("caffe") / "resnet152.caffemodel.h5")

    def conv(name, common, *shape):
        file.conv(name, *shape, bias=name in ("conv1", "res2a_branch2b", "res3a_branch1", "res5c_branch2c"))
        file.norm(f"bn{common}", shape[0])
        scale = 0.2 if name.endswith("branch2c") else 1  # or a hundred blocks are too much
        file.put(f"scale{common}", scale * file.rng.uniform(0.5, 1.5, shape[0]), file.rng.normal(0, 0.1, shape[0]))

    conv("conv1", "_conv1", 64, 1, 7, 7)
    before = 64
    for stage, blocks, width in ((2, 3, 64), (3, 8, 128), (4, 36, 256), (5, 3, 512)):
        for i in range(blocks):
            name = f"{stage}{('a' if i == 0 else f'b{i}') if stage in (3, 4) else 'abc'[i]}"
            if i == 0:
                conv(f"res{name}_branch1", f"{name}_branch1", 4 * width, before, 1, 1)
            conv(f"res{name}_branch2a", f"{name}_branch2a", width, before, 1, 1)
            conv(f"res{name}_branch2b", f"{name}_branch2b", width, width, 3, 3)
            conv(f"res{name}_branch2c", f"{name}_branch2c", 4 * width, width, 1, 1)
            before = 4 * width
    file.write()
    return file


def test_larssons_resnet152_gives_what_the_released_network_gives_but_for_where_it_strides(resnet152):
    file, trunk = resnet152, build_trunk("resnet152").eval()
    load_published(trunk, nn.Identity(), file.path)

    def conv(x, name, common, stride=1):
        weight = file.tensor(name)
        bias = file.tensor(name, 1) if f"data/{name}/1" in file.tensors else None
        x = normed(file, F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, stride=stride), f"bn{common}")
        return x * file.tensor(f"scale{common}")[:, None, None] + file.tensor(f"scale{common}", 1)[:, None, None]

    with torch.no_grad():
        given = trunk(seen(32, 32))
        x = conv((seen(32, 32) - 100 * 114.154 / 255) / 100, "conv1", "_conv1", 2).relu()
        torch.testing.assert_close(given["conv1"], x, rtol=1e-3, atol=1e-4 * float(x.max()))
        x = F.max_pool2d(x, 3, 2, 1)
        for block in list(trunk.strides)[1:]:
            name, stride = block.removeprefix("res"), 2 if block.endswith("a") and block != "res2a" else 1
            y = conv(x, f"res{name}_branch2a", f"{name}_branch2a").relu()
            y = conv(y, f"res{name}_branch2b", f"{name}_branch2b", stride).relu()
            y = conv(y, f"res{name}_branch2c", f"{name}_branch2c")
            x = (y + (conv(x, f"res{name}_branch1", f"{name}_branch1", stride) if name.endswith("a") else x)).relu()
            torch.testing.assert_close(given[block], x, rtol=1e-2, atol=1e-3 * float(x.max()))


def test_other_files_are_refused_in_one_line(alexnet, tmp_path, monkeypatch):
    (tmp_path / "text.caffemodel.h5").write_text("no HDF5")
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file["other"] = 1
    cases = [
        ("vgg16", alexnet.path, "conv1_1.0"),
        ("resnet50", alexnet.path, "res2a_branch2a"),
        ("zhang16", alexnet.path, "Larsson17 released none for it"),
        ("alexnet", tmp_path / "text.caffemodel.h5", "cannot be read as weights of Caffe in HDF5"),
        ("alexnet", tmp_path / "empty.h5", "cannot be read as weights of Caffe in HDF5"),
        ("alexnet", tmp_path / "absent.h5", "cannot be read as weights of Caffe in HDF5"),
    ]
    for trunk, path, reason in cases:
        with pytest.raises(ValueError, match=reason) as refused:
            load_published(build_trunk(trunk), nn.Identity(), path)
        assert path.name in str(refused.value)
        assert "\n" not in str(refused.value)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match="pip install h5py"):
        load_published(build_trunk("alexnet"), nn.Identity(), alexnet.path)
