"""What the page asks of the server, against what the colorizer makes."""

import base64
import io
import tempfile

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tintype.color import rgb_to_lab
from tintype.runtime.draft import Draft
from tintype.runtime.photo import Photo, even_lightness
from tintype.web.api import api
from tintype.web.drafts import Kept, Shelf, _opacity
from tintype.web.turns import Limits

skdata = pytest.importorskip("skimage.data")
LIMITS = Limits(most_bytes=2_000_000, most_pixels=400_000, workers=1, queue=2, patience=30)


def encoded(picture: Image.Image, kind="PNG", **saved) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **saved)
    return file.getvalue()


@pytest.fixture(scope="module")
def grey():
    return Image.fromarray(skdata.astronaut()).convert("L").resize((320, 240))


@pytest.fixture
def client(colorizer, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with TestClient(api(colorizer, LIMITS)) as client:
        yield client
    assert not list(tmp_path.iterdir())


def begun(client, content, query=""):
    response = client.post(f"/api/drafts{query}", content=content)
    assert response.status_code == 201, response.text
    return response.json()


def opened(response) -> np.ndarray:
    assert response.status_code == 200, response.text
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_a_picture_without_choices_is_what_the_colorizer_makes(client, colorizer, grey):
    known = begun(client, encoded(grey))
    assert (known["width"], known["height"], known["suffix"], known["pages"]) == (320, 240, ".png", 1)
    assert known["temperatures"][known["own"]] == colorizer.model.temperature
    made = opened(client.post(f"/api/drafts/{known['name']}/picture"))
    assert np.abs(made.astype(int) - np.asarray(colorizer(grey))).max() <= 1


def test_the_page_can_paint_what_the_server_paints(client, colorizer, grey):
    """The slow twin of the page's shader: A L + B at the temperatures that it is sent, and at one between them."""
    known = begun(client, encoded(grey))
    guide = known["guide"]
    sent = client.post(f"/api/drafts/{known['name']}/colours").content
    maps = np.frombuffer(sent, "<f2").reshape(4, guide["height"], guide["width"], 4).astype(np.float32).T
    maps = maps.transpose(0, 2, 1, 3)  # line, row, column, temperature
    assert guide["factor"] == 1  # so that a pixel of the guide is one of the photograph
    levels = opened(client.get(f"/api/drafts/{known['name']}/lightness"))
    lightness = rgb_to_lab(np.repeat(levels[..., None] / 255, 3, 2), axis=-1)[..., 0]
    for place in (0.0, 1.0, 2.5, 3.0):
        mixing = np.maximum(0, 1 - np.abs(place - np.arange(4)))
        slope, offset = np.split(maps @ mixing, 2)
        ab = slope * lightness + offset
        first, second = known["temperatures"][:2]
        temperature = first * (second / first) ** place
        made = opened(client.post(f"/api/drafts/{known['name']}/picture", json={"temperature": temperature}))
        true = rgb_to_lab(made / 255, axis=-1)[..., 1:].transpose(2, 0, 1)
        assert np.abs(ab - true).mean() < (1.0 if place == int(place) else 2.0), place


def test_grey_is_exact_enough_for_steep_edges(client, grey):
    """Where A is steep, an error of a level in grey is one of several in colour."""
    known = begun(client, encoded(grey))
    levels = opened(client.get(f"/api/drafts/{known['name']}/lightness")).astype(int)
    assert np.percentile(np.abs(levels - np.asarray(grey)), 99) <= 2


def test_vividness_makes_colours_more_vivid(client, grey):
    known = begun(client, encoded(grey))
    chroma = [
        np.hypot(*rgb_to_lab(opened(answer) / 255, axis=-1)[..., 1:].transpose(2, 0, 1)).mean()
        for temperature in known["temperatures"]
        for answer in [client.post(f"/api/drafts/{known['name']}/picture", json={"temperature": temperature})]
    ]
    assert chroma == sorted(chroma)
    assert chroma[3] > 1.2 * chroma[0]


def test_a_hint_colours_its_place(client, grey):
    known = begun(client, encoded(grey))
    hint = {"y": 0.6, "x": 0.3, "a": -30, "b": 10}
    plain, hinted = (
        rgb_to_lab(opened(client.post(f"/api/drafts/{known['name']}/picture", json=json)) / 255, axis=-1)
        for json in ({}, {"hints": [hint]})
    )
    y, x = int(0.6 * 240), int(0.3 * 320)
    near = np.s_[y - 2 : y + 3, x - 2 : x + 3, 1:]
    apart = [np.abs(picture[near].mean((0, 1)) - (-30, 10)).max() for picture in (plain, hinted)]
    assert apart[1] < 8 < apart[0]
    assert np.abs(plain - hinted)[..., 0].max() < 1.5  # lightness stays


def test_suggestions_have_colours_that_a_screen_shows(client, grey):
    known = begun(client, encoded(grey))
    told = client.get(f"/api/drafts/{known['name']}/suggestions?y=0.5&x=0.5").json()
    assert 0 <= told["lightness"] <= 100
    shares = [colour["probability"] for colour in told["colours"]]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001
    for colour in told["colours"]:
        lab = rgb_to_lab(np.array(colour["rgb"]) / 255, axis=-1)
        assert abs(lab[1] - colour["a"]) < 30
        assert all(0 <= level <= 255 for level in colour["rgb"])


def test_alternatives_and_previews_are_small_pictures_unlike_each_other(client, grey):
    known = begun(client, encoded(grey))
    told = client.get(f"/api/drafts/{known['name']}/alternatives").json()["pictures"]
    pictures = [np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))).astype(int) for one in told]
    assert len(pictures) == 6
    for number, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 1 for other in pictures[:number])
    second = opened(client.post(f"/api/drafts/{known['name']}/preview", json={"alternative": 1}))
    assert np.array_equal(second, pictures[2])
    grey_one = opened(client.post(f"/api/drafts/{known['name']}/preview", json={"saturation": 0}))
    assert np.ptp(grey_one.astype(int), axis=2).max() <= 3


def test_entropy_is_sure_or_not(client, grey):
    known = begun(client, encoded(grey))
    response = client.get(f"/api/drafts/{known['name']}/entropy")
    size = int(response.headers["x-height"]), int(response.headers["x-width"])
    levels = np.frombuffer(response.content, np.uint8).reshape(size)
    assert 20 < levels.min() < levels.max() <= 255


def test_formats_and_depths(client, grey):
    known = begun(client, encoded(grey, "JPEG"))
    for asked, kind, mime in (
        ({}, "JPEG", "image/jpeg"),
        ({"suffix": ".webp"}, "WEBP", "image/webp"),
        ({"suffix": ".tif", "depth": 16}, "TIFF", "image/tiff"),
    ):
        response = client.post(f"/api/drafts/{known['name']}/picture", json=asked)
        assert response.headers["content-type"] == mime
        assert response.content[:2] in ((b"II", b"MM") if kind == "TIFF" else (b"\xff\xd8", b"RI"))
    assert not known["deep"]
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert begun(client, encoded(deep))["deep"]


def test_metadata_stays(client, grey):
    exif = Image.Exif()
    exif[0x010E] = "grandmother"
    known = begun(client, encoded(grey, "JPEG", exif=exif))
    made = Image.open(io.BytesIO(client.post(f"/api/drafts/{known['name']}/picture").content))
    assert made.getexif()[0x010E] == "grandmother"


def test_a_negative_and_pages(client, grey):
    flipped = begun(client, encoded(Image.fromarray(255 - np.asarray(grey))), "?negative=1")
    positive = opened(client.get(f"/api/drafts/{flipped['name']}/lightness")).astype(float)
    assert np.corrcoef(positive.ravel(), np.asarray(grey).ravel())[0, 1] > 0.8
    pages = encoded(grey, "TIFF", save_all=True, append_images=[grey.transpose(Image.Transpose.ROTATE_90)])
    assert begun(client, pages)["pages"] == 2
    second = begun(client, pages, "?page=1")
    assert (second["width"], second["height"]) == (240, 320)


def test_what_is_transparent_is_shown_white(client, grey):
    clear = grey.convert("RGBA")
    clear.putalpha(Image.new("L", grey.size, 0))
    known = begun(client, encoded(clear))
    assert opened(client.get(f"/api/drafts/{known['name']}/lightness")).min() >= 253


def test_what_is_transparent_has_no_tint(client, grey):
    clear = grey.convert("RGBA")
    alpha = np.full((240, 320), 255, np.uint8)
    alpha[:, :159] = 0
    clear.putalpha(Image.fromarray(alpha))
    known = begun(client, encoded(clear))
    assert opened(client.get(f"/api/drafts/{known['name']}/lightness"))[:, :150].min() >= 253
    sent = np.frombuffer(client.post(f"/api/drafts/{known['name']}/colours").content, "<f2")
    maps = sent.reshape(4, known["guide"]["height"], known["guide"]["width"], 4)
    assert not maps[:, :, :159].any()
    assert maps[:, :, 159:].any(axis=3).mean() > 0.99
    small = opened(client.post(f"/api/drafts/{known['name']}/preview", json={"saturation": 3}))
    assert small[:, :100].min() >= 253
    assert np.ptp(small[:, 160:].astype(int), axis=2).max() > 50


def test_opacity_has_the_guides_size_and_mean(colorizer):
    """Of a photograph that is reduced by a factor which does not divide its sides."""
    alpha = np.random.default_rng(0).integers(0, 256, (601, 997), dtype=np.uint8)
    draft = Draft(colorizer.model, Photo(np.zeros((601, 997), np.uint8), even_lightness(256), alpha), colorizer.size)
    assert draft.factor > 1
    opacity = _opacity(draft)
    assert opacity.shape == draft.guide.shape
    inner = alpha[: 601 // draft.factor * draft.factor, : 997 // draft.factor * draft.factor]
    blocks = inner.reshape(601 // draft.factor, draft.factor, 997 // draft.factor, draft.factor)
    assert np.abs(opacity[: blocks.shape[0], : blocks.shape[2]] - blocks.mean((1, 3)) / 255).max() < 0.003


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 422, "photograph: the file is empty"),
        (b"hello", 422, "photograph: not a photograph"),
        (encoded(Image.new("L", (700, 700))), 422, "700 x 700 pixels; the limit is 400000"),
        (bytes(2_000_001), 413, "the limit is 2000000 bytes"),
    ],
)
def test_what_is_no_photograph_is_refused_in_one_line(client, content, status, message):
    response = client.post("/api/drafts", content=content)
    assert (response.status_code, message in response.json()["error"]) == (status, True)


def test_a_picture_longer_than_browsers_open_is_shown_reduced(client, grey):
    known = begun(client, encoded(grey.resize((70_000, 4))))
    assert (known["width"], known["height"]) == (70_000, 4)
    levels = opened(client.get(f"/api/drafts/{known['name']}/lightness"))
    assert levels.shape == (2, 23_334)
    assert opened(client.post(f"/api/drafts/{known['name']}/picture")).shape == (4, 70_000, 3)


def test_the_limit_of_pixels_is_for_the_page_that_is_asked_for(client, grey):
    pages = encoded(grey, "TIFF", save_all=True, append_images=[grey.resize((700, 700))])
    assert begun(client, pages)["pages"] == 2
    response = client.post("/api/drafts?page=1", content=pages)
    assert (response.status_code, "700 x 700 pixels; the limit" in response.json()["error"]) == (422, True)


def test_wrong_questions_are_refused(client, grey):
    name = begun(client, encoded(grey))["name"]
    assert client.get("/api/drafts/nobody/lightness").status_code == 404
    assert client.post("/api/drafts/nobody/picture").status_code == 404
    assert client.get(f"/api/drafts/{name}/suggestions?y=0.5").status_code == 400
    assert client.get(f"/api/drafts/{name}/suggestions?y=0.5&x=nan").status_code == 400
    assert client.post(f"/api/drafts/{name}/colours", content=b"no").status_code == 400
    assert client.post(f"/api/drafts/{name}/colours", content=b" " * 100_001).status_code == 413
    for query in ("page=-1", "page=1.5", "negative=2", "as_is=yes", "colour=red"):
        assert client.post(f"/api/drafts?{query}", content=encoded(grey)).status_code == 400
    assert client.delete(f"/api/drafts/{name}").status_code == 204
    assert client.get(f"/api/drafts/{name}/lightness").status_code == 404
    assert client.get("/api/health").json()["waiting"] == 0


def test_a_token_is_asked_for_everywhere(colorizer, grey):
    with TestClient(api(colorizer, LIMITS, "a long enough token")) as client:
        right = {"Authorization": "Bearer a long enough token"}
        assert client.post("/api/drafts", content=encoded(grey)).status_code == 401
        known = client.post("/api/drafts", content=encoded(grey), headers=right).json()
        for method, what in (
            ("GET", "lightness"),
            ("GET", "entropy"),
            ("GET", "suggestions?y=0&x=0"),
            ("GET", "alternatives"),
            ("POST", "colours"),
            ("POST", "preview"),
            ("POST", "picture"),
        ):
            assert client.request(method, f"/api/drafts/{known['name']}/{what}").status_code == 401
            assert client.request(method, f"/api/drafts/{known['name']}/{what}", headers=right).status_code == 200
        assert client.delete(f"/api/drafts/{known['name']}").status_code == 401
        assert client.get("/").status_code == 200  # the page itself is no secret


@pytest.mark.parametrize("what", ["colours", "preview", "picture"])
def test_who_may_not_ask_is_refused_before_his_choices_are_read(colorizer, what):
    with TestClient(api(colorizer, LIMITS, "a long enough token")) as client:
        response = client.post(f"/api/drafts/nobody/{what}", content=b" " * 100_001)
        assert response.status_code == 401
        right = {"Authorization": "Bearer a long enough token"}
        assert client.post(f"/api/drafts/nobody/{what}", content=b"no", headers=right).status_code == 404


def test_a_model_without_a_distribution_says_so_before_it_is_sent_anything(colorizer, grey, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(type(colorizer.model), "has_distribution", False)
    with TestClient(api(colorizer, LIMITS, "a long enough token")) as client:
        assert client.post("/api/drafts", content=encoded(grey)).status_code == 401
        right = {"Authorization": "Bearer a long enough token"}
        response = client.post("/api/drafts", content=bytes(LIMITS.most_bytes + 1), headers=right)
        assert response.status_code == 501
        assert response.json()["error"].startswith("this model tells no distribution over colours")
    assert not list(tmp_path.iterdir())


class Big(Kept):
    """A draft of 100 bytes."""

    def __init__(self):
        super().__init__(None, (), 0, ".png", 1)

    bytes = 100


def test_only_those_used_last_are_kept():
    shelf = Shelf(most=3, most_bytes=1000)
    names = [shelf.put(Big()) for _ in range(3)]
    shelf.get(names[0])
    shelf.put(Big())
    assert shelf.get(names[0])
    with pytest.raises(Exception, match="not kept any more"):
        shelf.get(names[1])


def test_memory_is_bounded_but_the_last_one_always_fits():
    shelf = Shelf(most=10, most_bytes=250)
    names = [shelf.put(Big()) for _ in range(3)]
    assert [name in shelf._kept for name in names] == [False, True, True]
    tiny = Shelf(most=10, most_bytes=1)
    assert tiny.get(tiny.put(Big()))


def test_the_page_is_sealed(client):
    for path in ("/", "/page/page.js", "/page/page.css", "/page/icon.svg", "/page/client-zip.js"):
        response = client.get(path)
        assert response.status_code == 200
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "http" not in response.headers["content-security-policy"]
    assert client.get("/page/nothing.js").status_code == 404
