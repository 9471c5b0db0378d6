"""The page in a real browser: servers and files that go away, and tokens."""

from web.page import until
from web.page_of_serve.acts import BEGIN, Held, add, downloaded, hint, states
from web.server import Server


def test_a_server_that_was_started_anew_is_told_again(visit, old):
    first = Server("serve", "--no-browser")
    page = visit(first.url)
    add(page, old / "astronaut.jpg")
    first.stop()
    page.click("#save")
    until(page, lambda: "does not answer" in page.inner_text("#notice-text"))
    second = Server("serve", "--no-browser", port=first.port)
    try:
        name, _ = downloaded(page, "#save")
        assert name == "astronaut.color.jpg"
        hint(page)
    finally:
        second.stop()


def test_the_token_of_the_address_is_carried(visit, old, tmp_path):
    (tmp_path / "token").write_text("a long enough token")
    server = Server("serve", "--no-browser", "--token-file", tmp_path / "token")
    try:
        page = visit(f"{server.url}#token=a%20long%20enough%20token")
        add(page, old / "astronaut.jpg")
        assert "token" not in page.url
        page = visit(server.url)
        page.set_input_files("#add", str(old / "astronaut.jpg"))
        until(page, lambda: "#token=" in page.inner_text("#notice-text"))
    finally:
        server.stop()


def test_photographs_that_wait_go_on_when_the_server_is_back(visit, old):
    first = Server("serve", "--no-browser")
    page = visit(first.url)
    held = Held(page, BEGIN)
    page.set_input_files("#add", [str(old / "astronaut.jpg"), str(old / "coffee.jpg")])
    held.wait()
    first.stop()
    held.release()
    until(page, lambda: "does not answer" in page.inner_text("#notice-text"))
    assert states(page) == ["waiting", "waiting"]
    second = Server("serve", "--no-browser", port=first.port)
    try:
        until(page, lambda: states(page) == ["done", "done"])
        assert page.is_hidden("#notice")
    finally:
        second.stop()


def test_a_file_that_is_gone_is_told_from_a_server_that_is_gone(visit, old, tmp_path):
    (tmp_path / "gone.jpg").write_bytes((old / "coffee.jpg").read_bytes())
    page = visit()
    held = Held(page, BEGIN)
    page.set_input_files("#add", [str(old / "astronaut.jpg"), str(tmp_path / "gone.jpg")])
    held.wait()
    (tmp_path / "gone.jpg").unlink()
    held.release()
    until(page, lambda: states(page) == ["done", "failed"])
    page.locator("#photographs button").nth(1).click()
    assert "cannot be read" in page.inner_text("#notice-text")


def test_a_new_token_in_the_address_is_taken_where_the_page_is(visit, old, tmp_path):
    (tmp_path / "token").write_text("a long enough token")
    server = Server("serve", "--no-browser", "--token-file", tmp_path / "token")
    try:
        page = visit(server.url)
        page.set_input_files("#add", str(old / "astronaut.jpg"))
        until(page, lambda: "#token=" in page.inner_text("#notice-text"))
        page.evaluate("location.hash = 'token=a%20long%20enough%20token'")
        until(page, lambda: states(page) == ["done"])
        assert page.is_hidden("#notice")
    finally:
        server.stop()
