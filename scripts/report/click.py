#!/usr/bin/env python3
"""Clicks through a report in a browser, and looks whether it does what it says.

    POLYGIST_SAMPLE_REPORT=DIR cargo test --lib a_report_of_any_size
    python3 scripts/report/click.py DIR/report.html [--pictures FOLDER]

`DIR/report.html` is that of the test's samples, whose texts are looked for here. Each failure is a
line; the exit code is 1 when there is one. `--pictures` takes pictures of the page, wide and
narrow, light and dark. Needs what open.py needs.
"""

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

failures: list[str] = []


def expect(holds: bool, what: str) -> None:
    if not holds:
        failures.append(what)


def visible(page: Page) -> list[str]:
    """The titles of the articles that are shown."""
    return page.locator("main article:visible h2").all_inner_texts()


def wait_for_count(page: Page, number: int) -> None:
    page.wait_for_function(
        "(n) => document.querySelectorAll('main article:not([hidden])').length === n", arg=number
    )


def search(page: Page, query: str, found: int) -> None:
    page.fill("#search", query)
    try:
        wait_for_count(page, found)
    except Exception:
        expect(False, f"searching {query!r} finds {len(visible(page))} articles, not {found}")


def reads(browser: Browser, address: str) -> None:
    """Without scripts, everything is there to read."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#tools").is_hidden(), "tools are shown that do nothing without scripts")
    lyon = page.locator("article", has_text="lyon-écoles").first
    lyon.locator("details.body summary").click()
    expect(lyon.locator(".pair").count() == 11, "no sentences without scripts")
    expect(lyon.locator(".pair .src").nth(3).is_visible(), "sentences are hidden without scripts")
    context.close()


def finds(page: Page, address: str) -> None:
    search(page, "lopez", 1)
    expect("glacier" in visible(page)[0], "a name without its accent does not find López")
    hits = page.evaluate("CSS.highlights.get('hit')?.size ?? 0")
    expect(hits > 0, "what was found is not marked")
    expect(page.locator(".hits:visible").count() == 1, "what was found in a text is not quoted")
    search(page, "الربيع", 1)
    search(page, "ecoles livraisons", 1)
    search(page, '"premier bilan"', 1)
    search(page, '"bilan premier"', 0)
    expect(page.locator("#none").is_visible(), "nothing says that nothing was found")
    search(page, "", 12)
    page.click("[data-filter=state][data-value=failed]")
    wait_for_count(page, 1)
    expect("state=failed" in page.url, f"the state is not in the address {page.url}")
    page.click("[data-filter=state][data-value='']")
    wait_for_count(page, 12)
    page.select_option("#sort", "newest")
    expect(visible(page)[0].startswith("Lyon"), "the newest is not first")
    page.select_option("#sort", "unsure")
    dated = page.locator("main article").evaluate_all(
        "(all) => all.map((a) => a.dataset.confidence)"
    )
    known = [float(one) for one in dated if one]
    expect(known == sorted(known) and dated[len(known)] is None, "not sorted by confidence")
    page.select_option("#sort", "")
    # The address says it all.
    page.goto(address + "#q=lopez&sort=newest")
    page.reload()
    wait_for_count(page, 1)
    expect(page.input_value("#sort") == "newest", "the order is not taken from the address")
    page.goto(address)
    page.reload()


def lights(page: Page) -> None:
    lyon = page.locator("article", has_text="lyon-écoles").first
    claim = lyon.locator("a.claim").first
    claim.hover()
    expect(page.locator("#sources").is_visible(), "a summary's sentence does not show its sources")
    expect("jeudi" in page.locator("#sources").inner_text(), "the sources shown are others")
    claim.click()
    expect(lyon.locator(".pair.lit").count() == 2, "the sources do not light up in the text")
    expect(lyon.locator(".pair").first.is_visible(), "the text does not open")
    expect("-s1" in page.url, f"the sentence is not in the address {page.url}")
    page.mouse.move(5, 5)
    expect(page.locator("#sources").is_hidden(), "the sources stay")


def marks(page: Page, folder: Path) -> None:
    lyon = page.locator("article", has_text="lyon-écoles").first
    row = lyon.locator(".pair").nth(3)
    row.hover()
    row.locator("[data-does=fix]").click()
    row.locator("[data-does=edit]").click()
    row.locator("textarea[data-name=better]").fill("It had improved by 14 % <since>.")
    row.locator("textarea[data-name=note]").fill('=SUM(1) "wrong" number')
    row.locator(".editor button").click()
    lyon.locator(":scope > .marks [data-does=checked]").click()
    page.reload()
    lyon = page.locator("article", has_text="lyon-écoles").first
    expect(lyon.get_attribute("data-mark") == "checked", "a mark is gone after a reload")
    page.select_option("#mark", "fix")
    wait_for_count(page, 1)
    page.select_option("#mark", "")
    files = {}
    for kind in ("json", "csv", "tmx"):
        page.click(".menu summary")
        with page.expect_download() as download:
            page.click(f"[data-export={kind}]")
        files[kind] = folder / f"marks.{kind}"
        download.value.save_as(files[kind])
    read = json.loads(files["json"].read_text(encoding="utf-8"))
    [article] = read["articles"]
    sentence = article["sentences"]["3"]
    expect(article["mark"] == "checked" and sentence["mark"] == "fix", f"JSON has {article}")
    expect("14 %" in sentence["source"] and "41" in sentence["target"], f"JSON has {sentence}")
    table = files["csv"].read_text(encoding="utf-8")
    expect('"\'=SUM(1) ""wrong"" number"' in table, f"CSV has {table}")
    memory = ElementTree.parse(files["tmx"]).getroot()
    texts = [unit.findtext("tuv[2]/seg") for unit in memory.iter("tu")]
    expect(len(texts) == 11 and "It had improved by 14 % <since>." in texts, f"TMX has {texts}")
    # Taken back from the file.
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.locator("article[data-mark=checked]").count() == 0, "marks that were cleared stay")
    page.set_input_files("#file", files["json"])
    page.wait_for_function("document.querySelector('article[data-mark=checked]') !== null")


def keys(page: Page) -> None:
    page.locator("h1").click()
    page.keyboard.press("j")
    first = page.locator("article.chosen h2").inner_text()
    page.keyboard.press("j")
    second = page.locator("article.chosen h2").inner_text()
    expect(first != second, "j does not go on")
    page.keyboard.press("o")
    expect(page.locator("article.chosen .pair").first.is_visible(), "o does not open")
    page.keyboard.press("n")
    expect(page.locator(".pair.doubt.chosen").count() == 1, "n does not find a doubtful sentence")
    page.keyboard.press("c")
    expect(page.locator(".pair.chosen[data-mark=checked]").count() == 1, "c does not mark")
    page.keyboard.press("f")
    expect(page.locator(".pair.chosen[data-mark=fix]").count() == 1, "f does not mark")
    page.keyboard.press("f")
    page.keyboard.press("/")
    expect(page.evaluate("document.activeElement.id") == "search", "/ does not go to the search")
    page.keyboard.type("j")
    expect(page.input_value("#search") == "j", "keys act while one writes")
    page.fill("#search", "")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help").is_visible(), "? shows nothing")
    page.keyboard.press("Escape")


def narrow(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(address)
    lyon = page.locator("article", has_text="lyon-écoles").first
    lyon.locator("a.claim").first.tap()
    expect(page.locator("#sources").is_visible(), "a tap does not show the sources")
    lyon.locator("details.body summary").tap()
    boxes = [lyon.locator(f".pair .{side}").nth(1).bounding_box() for side in ("src", "tgt")]
    stacked = boxes[0] and boxes[1] and boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 1
    expect(bool(stacked), f"source and translation are not stacked: {boxes}")
    width = page.evaluate("document.documentElement.scrollWidth")
    expect(width <= 390, f"the page is {width} wide, on a screen of 390")
    context.close()


def pictures(browser: Browser, address: str, folder: Path) -> None:
    for width in (1400, 800, 390):
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
            page.goto(address)
            page.screenshot(path=folder / f"{width}-{scheme}-top.png")
            page.click("#fold")
            page.wait_for_timeout(300)
            for name in ("lyon", "aqaba", "高铁", "scan-0007", "wahl"):
                article = page.locator("article", has_text=name).first
                article.scroll_into_view_if_needed()
                article.screenshot(path=folder / f"{width}-{scheme}-{name}.png")
            page.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the page")
    usual = "/usr/bin/chromium"
    parser.add_argument("--browser", default=usual if Path(usual).exists() else None)
    arguments = parser.parse_args()
    address = arguments.page.resolve().as_uri()
    folder = arguments.pictures or arguments.page.parent
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.browser)
        reads(browser, address)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("pageerror", lambda error: failures.append(f"the script fails: {error}"))
        page.on("console", lambda said: expect(said.type != "error", said.text))
        page.goto(address)
        finds(page, address)
        lights(page)
        marks(page, folder)
        keys(page)
        narrow(browser, address)
        if arguments.pictures:
            pictures(browser, address, arguments.pictures)
        browser.close()
    for failure in failures:
        print(failure)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
