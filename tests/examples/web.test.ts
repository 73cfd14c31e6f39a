// The page of examples/web, built as it is for a server of files, and used as people use it: with the mouse, with the keyboard, on
// each engine. `UPDATE=1` takes the picture for the README anew.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../cli/dlm.ts";
import { root } from "../docs/blocks.ts";
import { serve, startBrowser } from "../support/chromium.ts";

const folder = temporaryFolder();

/** Strokes on a pad of 280 points, as a hand draws them. */
const digits: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  "1": [
    [140, 50],
    [138, 230],
  ],
  "7": [
    [85, 65],
    [195, 65],
    [160, 140],
    [130, 225],
  ],
  "3": [
    [95, 75],
    [130, 55],
    [175, 65],
    [180, 100],
    [135, 130],
    [185, 155],
    [185, 205],
    [140, 228],
    [90, 212],
  ],
};

const browser = await startBrowser();
describe.skipIf(!browser)("the page with the digits", () => {
  let files: ReadonlyMap<string, Uint8Array>;

  beforeAll(async () => {
    await build({
      configFile: join(root, "examples/web/vite.config.ts"),
      logLevel: "error",
      build: { outDir: folder, emptyOutDir: true },
    });
    const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    // In a folder of the server, not at its root.
    files = new Map(
      names.map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [`some/where${path.slice(folder.length)}`, readFileSync(path)];
      }),
    );
  });

  const open = async (
    colorScheme: "light" | "dark" = "light",
  ): Promise<{ page: Page; mistakes: readonly string[] }> => {
    const page = await browser!.newPage({ colorScheme, viewport: { width: 1080, height: 780 } });
    const mistakes: string[] = [];
    page.on("pageerror", (error) => mistakes.push(error.message));
    page.on("console", (message) => message.type() === "error" && mistakes.push(message.text()));
    await page.goto(`${await serve(files, false)}some/where/index.html`);
    await page.waitForSelector("#engines :checked");
    return { page, mistakes };
  };
  const draw = async (page: Page, digit: string): Promise<void> => {
    const { x, y } = (await page.locator("#pad").boundingBox())!;
    const [start, ...rest] = digits[digit]!;
    await page.mouse.move(x + start![0], y + start![1]);
    await page.mouse.down();
    for (const [dx, dy] of rest) await page.mouse.move(x + dx, y + dy, { steps: 6 });
    await page.mouse.up();
  };
  const verdict = (page: Page, engine = "wasm") => page.locator(`#verdict[data-engine="${engine}"]`);

  it("tells digits that the mouse draws, shows why, and forgets them when told", async () => {
    const { page, mistakes } = await open();
    for (const digit of ["1", "7", "3"]) {
      await page.click("#clear");
      await verdict(page).filter({ hasText: "Nothing drawn yet." }).waitFor();
      await draw(page, digit);
      await verdict(page)
        .filter({ hasText: `a ${digit} (` })
        .waitFor({ timeout: 5000 });
      expect(await page.locator("#bars .best > :first-child").textContent()).toBe(digit);
      const shares = await page.locator("#bars .share").allTextContents();
      expect(shares.map((text) => Number.parseFloat(text)).reduce((a, b) => a + b)).toBeCloseTo(100, 0);
      // Some points of the picture are coloured: red and blue differ there.
      const coloured = await page.evaluate<number>(`(() => {
        const { data } = document.querySelector("#heat").getContext("2d").getImageData(0, 0, 28, 28);
        let count = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i] > data[i + 2] + 40) count++;
        return count;
      })()`);
      expect(coloured).toBeGreaterThan(10);
      expect(await page.locator(".hint").isVisible()).toBe(false);
      expect(coloured).toBeLessThan(28 * 28);
    }
    expect(mistakes).toEqual([]);
    await page.close();
  });

  it("gives the same answer on every engine, with the time that it takes", async () => {
    const { page, mistakes } = await open();
    await draw(page, "3");
    const shares = new Map<string, string[]>();
    for (const engine of ["js", "webgpu", "wasm"]) {
      await page.check(`[value="${engine}"]`);
      await verdict(page, engine).filter({ hasText: "a 3 (" }).waitFor();
      shares.set(engine, await page.locator("#bars .share").allTextContents());
      expect(await page.locator(`label:has([value="${engine}"]) .time`).textContent()).toMatch(/^\d+\.\d+ ms$/);
    }
    for (const list of shares.values()) expect(list).toEqual(shares.get("js"));
    if (process.env.UPDATE) await page.screenshot({ path: join(root, "docs/images/web.png") });
    expect(mistakes).toEqual([]);
    await page.close();
  });

  it("says what cannot run, and stays with what does", async () => {
    const { page } = await open();
    await page.evaluate("Object.defineProperty(navigator, 'gpu', { value: undefined })");
    await page.click('[value="webgpu"]');
    await page.locator("#message", { hasText: "WebGPU cannot run here: this engine has no WebGPU" }).waitFor();
    expect(await page.isChecked('[value="wasm"]')).toBe(true);
    expect(await page.isDisabled('[value="webgpu"]')).toBe(true);
    await draw(page, "1");
    await verdict(page).filter({ hasText: "a 1 (" }).waitFor();
    await page.close();
  });

  it("can be drawn on with the keyboard alone, in the dark as well", async () => {
    const { page, mistakes } = await open("dark");
    const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    expect(background).toBe("rgb(20, 22, 26)");
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("pad");
    for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Space");
    for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowDown");
    await verdict(page).filter({ hasText: "a 1 (" }).waitFor({ timeout: 5000 });
    await page.keyboard.press("Delete");
    await verdict(page).filter({ hasText: "Nothing drawn yet." }).waitFor();
    expect(mistakes).toEqual([]);
    await page.close();
  });
});
