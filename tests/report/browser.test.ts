// The pages that commands leave, in a real browser: everything is drawn, nothing fails, nothing is fetched from elsewhere.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { dlm, temporaryFolder } from "../cli/dlm.ts";
import { digits } from "../cli/models.ts";
import { serve, startBrowser } from "../support/chromium.ts";

const folder = temporaryFolder();
const browser = await startBrowser();

/** Opens a page that is all there is; what goes wrong in it, or is asked of others, is kept. */
async function open(html: string): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const page = await browser!.newPage({ locale: "en-US", viewport: { width: 900, height: 700 } });
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  const url = await serve(new Map([["index.html", html]]));
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().endsWith("/favicon.ico")) problems.push(`asks for ${request.url()}`);
  });
  await page.goto(url);
  return { page, problems: problems.filter((problem) => !problem.includes("favicon")) };
}

/** Whether every canvas has more than one colour: something is drawn on it. */
const allDrawn = (page: Page, selector: string): Promise<boolean> =>
  page.evaluate((wanted) => {
    const canvases = [...document.querySelectorAll<HTMLCanvasElement>(wanted)];
    return (
      canvases.length > 0 &&
      canvases.every((canvas) => {
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size > 1;
      })
    );
  }, selector);

describe.skipIf(!browser)("pages in Chromium", () => {
  it("report.html and explanations are drawn whole", async () => {
    writeFileSync(join(folder, "digits.dlm"), digits);
    const out = join(folder, "run");
    expect((await dlm("train", join(folder, "digits.dlm"), "--out", out)).code).toBe(0);

    const report = await open(readFileSync(join(out, "report.html"), "utf8"));
    expect(report.problems).toEqual([]);
    expect(await report.page.locator("h2").allTextContents()).toEqual([
      "Curves",
      "Confusion, 50 rows of the test data",
      "Wrong, and most sure",
      "Weights and gradients",
      "The model",
      "Time and memory",
    ]);
    // The loss by step, and loss and accuracy of training and validation.
    expect(await report.page.locator("#curves .chart h3").allTextContents()).toEqual([
      "loss by step",
      "loss",
      "accuracy",
    ]);
    for (const kind of [".uplot canvas", "#wrong canvas", "#spreads canvas"])
      expect(await allDrawn(report.page, kind)).toBe(true);
    await report.page.close();

    const explained = join(folder, "explanation.html");
    const given = ["--weights", join(out, "weights.safetensors"), "--rows", "3", "-o", explained];
    expect((await dlm("explain", join(folder, "digits.dlm"), ...given)).code).toBe(0);
    const explanation = await open(readFileSync(explained, "utf8"));
    expect(explanation.problems).toEqual([]);
    expect(await explanation.page.locator("figure.card").count()).toBe(3);
    expect(await allDrawn(explanation.page, "canvas.image")).toBe(true);
    await explanation.page.close();
  });
});
